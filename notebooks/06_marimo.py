# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "cometvid-nb",
#     "marimo",
# ]
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Video jobs in marimo")


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    # Video jobs in marimo

    A cell that ends with a watch shows its **live card**, which becomes the player. Nothing here
    costs money: a simulated API runs inside this notebook. Press the run button at the lower right.
    """)
    return


@app.cell
def _():
    import marimo as mo

    import cometvid_nb

    cometvid_nb.demo(speed=4)
    return cometvid_nb, mo


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Watch a job

    The cell is done at once, and the card goes on by itself. The clip is saved in `videos/` beside
    the notebook.
    """)
    return


@app.cell
def _(cometvid_nb):
    comet = cometvid_nb.watch("video_demo")
    comet
    return (comet,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Make one of your own

    marimo runs a cell again whenever something changes above it. That does not pay twice: a cell
    that asks for the same again **shows the job that it has made**. Another prompt is another job,
    and `again=True` makes one more.
    """)
    return


@app.cell
def _(mo):
    prompt = mo.ui.text(value="A comet over the sea", full_width=True, label="Prompt")
    size = mo.ui.radio({"wide": "1280x720", "tall": "720x1280"}, value="wide", inline=True)
    mo.hstack([prompt, size], widths=[3, 1], align="end", gap=2)
    return prompt, size


@app.cell
def _(cometvid_nb, prompt, size):
    own = cometvid_nb.create(prompt.value, model="sora-2", size=size.value)
    own
    return (own,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Side by side

    Several watches are a gallery, which can **play all in sync**.
    """)
    return


@app.cell
def _(cometvid_nb, comet, own):
    cometvid_nb.watch([comet, own])
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## What is remembered

    This machine keeps a list of all jobs, also when marimo is closed.
    """)
    return


@app.cell
def _(mo):
    look = mo.ui.run_button(label="Look again")
    look
    return (look,)


@app.cell
def _(cometvid_nb, look):
    look.value
    cometvid_nb.jobs()
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## With the real API

    Set `COMETAPI_KEY` before marimo starts, and leave out `demo()`. All visitors of a `marimo run`
    share your key and your jobs: what they ask for again is not made again.
    """)
    return


if __name__ == "__main__":
    app.run()
