"""Simulates the video API on a real socket, for the tests, the demo and readers without a key.

    with Simulator(speed=10) as simulator:
        client = OpenAI(base_url=simulator.base_url, api_key=simulator.api_key)

It implements CometAPI's `/v1/videos` (create, retrieve, remix, content, and list and delete as
OpenAI's clients call them), `/v1/models` and `/api/models` as documented or as seen on the live
endpoint, and serves small real clips under signed links. A `Scenario` scripts what a job does, a
`Fault` what goes wrong on the way. The simulator imports nothing else of this package: it tests the
client against the protocol, not against the client's own code.

Every shape that a real server was seen to answer in has a name in a table, and a line more in that
table is one more shape:

    shapes/     how one and the same answer is worded: links, reasons, figures, words, ids, HTTP
    dialects    all shapes by name: the jobs `video_dialect_<name>`, `Simulator(dialect=…)`, and the
                model `dialect-<name>`
    ids         the shapes of ids: `Simulator(ids=…)`, and the model `ids-<name>`
    clips       the files of the clips, and what may be odd about them: jobs `video_clip_<name>`
    faults      named faults of manner: errors under 200, other error bodies, late clips, encodings;
                the troubles of `%cometvid demo --trouble`
    weather     named faults as seen on real networks, and storms of them
    families    what each family of models takes and answers; `Simulator(strict=True)` refuses more
    catalogue   the list of models with their prices
    scenarios   the jobs that exist from the start

and the rest makes them an API:

    script      Scenario and Fault: what happens, as data
    creation    a form, checked, and the script of the job that it asks for
    life        the state of one job at a given time
    kept        a file with which another process goes on with the same jobs
    links       signed links and byte ranges
    problems    answers that are errors
    forms       the parts of a multipart body
    arrivals    the requests that came
    traffic     requests and faults: what is noted, what is dealt out
    gateway     the rules and the state of the API, without a socket
    faulty      HTTP: the handler that carries out faults
    handlers    HTTP: the routes
    server      Simulator: the gateway on sockets, in a thread of its own
"""

from __future__ import annotations

from cometvid_nb.simulator.arrivals import Request
from cometvid_nb.simulator.faults import (
    ENCODINGS,
    ERROR_BODIES,
    ERRORS_UNDER_200,
    LATE,
    NOT_KNOWN_YET,
    TROUBLES,
)
from cometvid_nb.simulator.forms import Part
from cometvid_nb.simulator.scenarios import SCENARIOS
from cometvid_nb.simulator.script import BAD_GATEWAY_PAGE, Fault, Scenario
from cometvid_nb.simulator.server import Simulator, serve_forever
from cometvid_nb.simulator.weather import ESCAPES, FATAL, TRANSIENT, UNTRUE, WRONG_CLIPS, Storm

__all__ = [
    "BAD_GATEWAY_PAGE",
    "ENCODINGS",
    "ERRORS_UNDER_200",
    "ERROR_BODIES",
    "ESCAPES",
    "FATAL",
    "LATE",
    "NOT_KNOWN_YET",
    "SCENARIOS",
    "TRANSIENT",
    "TROUBLES",
    "UNTRUE",
    "WRONG_CLIPS",
    "Fault",
    "Part",
    "Request",
    "Scenario",
    "Simulator",
    "Storm",
    "serve_forever",
]
