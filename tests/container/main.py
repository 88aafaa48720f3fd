"""What users of the image rely on; `run` builds it and starts this in a network of its own."""

import fcntl
import json
import os
import re
import socket
import struct
import subprocess
import sys
import traceback
import urllib.error
import urllib.request

from box import VOLUME, Box, Server

IMAGE, ROOT, WORK, SIMULATOR = sys.argv[1:]
URL = "http://127.0.0.1:7531"
ASKED = {"model": "gpt-5.5", "messages": [{"role": "user", "content": "Say exactly pong"}]}


def turn(key=None, host=None, path="/v1/chat/completions"):
    """The status and the JSON of a turn."""
    headers = {"content-type": "application/json"}
    if key:
        headers["authorization"] = f"Bearer {key}"
    if host:
        headers["host"] = host
    asked = urllib.request.Request(URL + path, json.dumps(ASKED).encode(), headers)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def serves(key, host=None):
    status, answer = turn(key, host)
    assert status == 200, answer
    assert answer["choices"][0]["message"]["content"] == "pong", answer


def key_of(server):
    return re.search(r"made a local key, and kept it in `(.*)`: (cw-\S+)", server.said)


def the_image_says_how_it_is_run(box, _):
    config = box.config
    assert config["User"] == "65532:65532", config
    assert config["Healthcheck"]["Test"] == ["CMD", "codexway", "health"], config
    assert config["StopSignal"] == "SIGTERM", config
    assert list(config["Volumes"]) == [VOLUME], config
    assert list(config["ExposedPorts"]) == ["7531/tcp"], config
    labels = config["Labels"]
    assert labels["org.opencontainers.image.title"] == "codexway", labels
    version = labels["org.opencontainers.image.version"]
    assert box.run(["--version"]) == (0, f"codexway {version}\n")


def nothing_but_the_program_is_in_it(box, _):
    found = subprocess.run(
        ["find", ROOT, "-type", "f", "-printf", "%P\n"], capture_output=True, text=True, check=True
    )
    assert sorted(found.stdout.split()) == [
        "etc/group",
        "etc/passwd",
        "etc/ssl/certs/ca-certificates.crt",
        "usr/local/bin/codexway",
    ], found.stdout


def it_runs_without_root_on_a_root_that_cannot_be_written_to(box, _):
    with Server(box) as server:
        for ids in ["Uid", "Gid"]:
            assert server.status(ids) == ["65532"] * 4, server.status(ids)
        assert server.status("CapEff") == ["0" * 16], server.status("CapEff")
        assert server.stop(box) == 0, server.said
    for place in ["/key", "/etc/key", "/usr/local/bin/key"]:
        code, said = box.run(["serve", "--key-file", place])
        assert code == 1 and "Read-only file system" in said, said


def the_first_run_makes_a_key_and_nobody_is_let_in_without_it(box, _):
    os.remove(f"{box.volume}/key")
    with Server(box) as server:
        where, key = key_of(server).groups()
        assert where == f"{VOLUME}/key"
        kept = os.stat(f"{box.volume}/key")
        assert (kept.st_uid, kept.st_mode & 0o777) == (65532, 0o600), kept
        for wrong in [None, "cw-wrong"]:
            status, answer = turn(wrong)
            assert (status, answer["error"]["code"]) == (401, "invalid_api_key"), answer
        status, answer = turn(key)
        assert status == 401 and "codexway login" in answer["error"]["message"], answer


def it_is_healthy_when_somebody_has_logged_in_by_a_code_and_serves_turns(box, upstream):
    test = box.config["Healthcheck"]["Test"]
    with open(f"{box.volume}/key") as file:
        key = file.read().strip()
    with Server(box, **upstream) as server:
        code, said = box.run(test[2:])
        assert code == 1 and "codexway login" in said, said
        code, said = box.run(["login", "--device", "--yes"], **upstream)
        assert code == 0 and "logged in as ada@example.com" in said, said
        # The running server notices.
        assert box.run(test[2:]) == (0, "ready\n")
        serves(key)
        assert server.stop(box) == 0, server.said


def a_restart_keeps_the_account_and_the_key(box, upstream):
    with open(f"{box.volume}/key") as file:
        key = file.read().strip()
    with Server(box, **upstream) as server:
        assert key_of(server) is None, server.said
        serves(key)
        # As a person finds the key again.
        code, said = box.run(["connect", "openai", "--show-key"])
        assert code == 0 and key in said, said
        assert server.stop(box) == 0, server.said


def other_services_reach_it_by_the_names_that_it_is_told(box, upstream):
    with open(f"{box.volume}/key") as file:
        key = file.read().strip()
    with Server(box, **upstream):
        status, answer = turn(key, "codexway:7531")
        assert (status, answer["error"]["code"]) == (403, "host_not_allowed"), answer
    names = {"CODEXWAY__SERVER__ALLOWED_HOSTS": '["codexway", "codexway.default.svc"]'}
    with Server(box, **upstream, **names):
        serves(key, "codexway:7531")
        serves(key, "codexway.default.svc:7531")


def the_demo_runs_in_it_too(box, _):
    with open(f"{box.volume}/key") as file:
        key = file.read().strip()
    with Server(box, ["demo"]) as server:
        serves(key)
        assert server.stop(box) == 0, server.said


TESTS = [
    the_image_says_how_it_is_run,
    nothing_but_the_program_is_in_it,
    it_runs_without_root_on_a_root_that_cannot_be_written_to,
    the_first_run_makes_a_key_and_nobody_is_let_in_without_it,
    it_is_healthy_when_somebody_has_logged_in_by_a_code_and_serves_turns,
    a_restart_keeps_the_account_and_the_key,
    other_services_reach_it_by_the_names_that_it_is_told,
    the_demo_runs_in_it_too,
]


def loopback_up():
    """A new network has a loopback device that is off: SIOCSIFFLAGS, IFF_UP | IFF_RUNNING."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x41))


def main():
    loopback_up()
    failed = 0
    simulator = subprocess.Popen(
        [SIMULATOR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    told = json.loads(simulator.stdout.readline())
    upstream = {
        f"CODEXWAY__UPSTREAMS__CODEX__{name.upper()}": told[name]
        for name in ["base_url", "auth_url"]
    }
    box = Box(IMAGE, ROOT, f"{WORK}/volume")
    for test in TESTS:
        name = "container: " + test.__name__.replace("_", " ")
        try:
            test(box, upstream)
            print(f"ok {name}", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED {name}", flush=True)
            print("    " + traceback.format_exc().replace("\n", "\n    "), flush=True)
    simulator.stdin.close()
    simulator.wait()
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
