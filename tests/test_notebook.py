"""The notebook around us: its shell, and its cells by number."""

from __future__ import annotations

from cometvid_nb.notebook import cell_number, shell
from tests.kernel import Kernel


def test_outside_ipython_there_is_neither_a_shell_nor_a_cell() -> None:
    assert shell() is None
    assert cell_number() is None


def test_cells_are_told_apart_by_their_number(kernel: Kernel) -> None:
    number = "from cometvid_nb.notebook import cell_number\ncell_number() - "
    first = kernel.run(number + "cell_number()")
    assert first.text == "0\n"
    kernel.run("here = cell_number()")
    assert kernel.run(number + "here").text == "1\n"
