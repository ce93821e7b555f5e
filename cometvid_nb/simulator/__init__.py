"""A stand-in for the video API on a real socket, for tests, the demo and whoever has no key.

    with Simulator(speed=10) as simulator:
        client = OpenAI(base_url=simulator.base_url, api_key=simulator.api_key)

It speaks the protocol of CometAPI's `/v1/videos` (create, retrieve, remix, content) as far as it
is documented or was seen, and serves small real clips under signed links. What the jobs do is a
script (`Scenario`), and so is what goes wrong on the way (`Fault`). It imports nothing else of
this package, so it proves the client against the protocol and not against itself.

    script      Scenario and Fault: what happens, as data
    dialects    the ways in which the endpoint words one and the same answer
    life        one job's life on its clock
    links       signed links and byte ranges
    problems    answers that are errors
    clips       the files
    arrivals    what was asked
    gateway     the API's rules and state, without a socket
    faulty      HTTP: the handler that suffers the fault script
    handlers    HTTP: the routes
    weather     faults as they are met in the wild, by name, and storms of them
    server      Simulator: the gateway on sockets, in a thread of its own
"""

from __future__ import annotations

from cometvid_nb.simulator.arrivals import Request
from cometvid_nb.simulator.script import BAD_GATEWAY_PAGE, SCENARIOS, Fault, Scenario
from cometvid_nb.simulator.server import Simulator, serve_forever
from cometvid_nb.simulator.weather import FATAL, TRANSIENT, UNTRUE, WRONG_CLIPS, Storm

__all__ = [
    "BAD_GATEWAY_PAGE",
    "FATAL",
    "SCENARIOS",
    "TRANSIENT",
    "UNTRUE",
    "WRONG_CLIPS",
    "Fault",
    "Request",
    "Scenario",
    "Simulator",
    "Storm",
    "serve_forever",
]
