"""Simulates the video API on a real socket, for the tests, the demo and readers without a key.

    with Simulator(speed=10) as simulator:
        client = OpenAI(base_url=simulator.base_url, api_key=simulator.api_key)

It implements CometAPI's `/v1/videos` (create, retrieve, remix, content) as documented or as seen
on the live endpoint, and serves small real clips under signed links. A `Scenario` scripts what a
job does, a `Fault` what goes wrong on the way. The simulator imports nothing else of this package:
it tests the client against the protocol, not against the client's own code.

    script      Scenario and Fault: what happens, as data
    dialects    the different forms in which the endpoint sends one and the same answer
    life        the state of one job at a given time
    links       signed links and byte ranges
    problems    answers that are errors
    clips       the files of the clips
    arrivals    the requests that came
    gateway     the rules and the state of the API, without a socket
    faulty      HTTP: the handler that carries out faults
    handlers    HTTP: the routes
    weather     named faults as seen on real networks, and storms of them
    server      Simulator: the gateway on sockets, in a thread of its own
"""

from __future__ import annotations

from cometvid_nb.simulator.arrivals import Request
from cometvid_nb.simulator.script import BAD_GATEWAY_PAGE, SCENARIOS, Fault, Scenario
from cometvid_nb.simulator.server import Simulator, serve_forever
from cometvid_nb.simulator.weather import ESCAPES, FATAL, TRANSIENT, UNTRUE, WRONG_CLIPS, Storm

__all__ = [
    "BAD_GATEWAY_PAGE",
    "ESCAPES",
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
