#!/usr/bin/env python3
"""Schemathesis over the whole document, against a server of each role's own with the demonstration in it: fitting and
unfitting input, one request and chains of them. No 5xx, and no status that the document does not name.

    run.py SECONDS [ROLE …]     as each role for that long (org_admin, supervisor, mentor; org_admin alone when none is named)
"""
import json, os, signal, socket, subprocess, sys, tempfile, time, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TOOLS = os.environ.get("KILELE_TOOLS") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ["HOME"], ".cache"), "kilele/tools")
LOGINS = {"org_admin": "admin.demo", "supervisor": "grace.supervisor", "mentor": "amina.mentor"}
# What ends the session, or the device, of the one who asks: after it, all else would answer 401 and be tested no more. So
# these come last, with a session of their own. No operation stays out. (What ends other people's access is in the first
# run: each role has a server of its own, and the one who asks cannot take away their own role. Nobody guesses the password
# that changePassword asks for; what it answers to wrong ones is tested.)
LAST = ["signOut", "revokeDevice", "endSession"]

def ask(url, body=None):
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None,
                                     {"content-type": "application/json", "x-kilele": "1"})
    return json.load(urllib.request.urlopen(request, timeout=10))

def schemathesis(url, token, seconds, seed, chosen, data):
    # One thread: two of Python 3.11 disturb each other's parser, seldom (python/cpython#106905); the server has its own core.
    command = [os.path.join(TOOLS, "schemathesis/bin/schemathesis"), "run", os.path.join(ROOT, "openapi.json"),
               "--url", url, "--header", f"Authorization:Bearer {token}",
               "--checks", "not_a_server_error,status_code_conformance",
               "--mode", "all", "--seed", seed, "--workers", "1", "--max-time", str(seconds),
               "--max-examples", os.environ.get("KILELE_EXAMPLES", "100000"), "--continue-on-failure", "--no-color",
               "--suppress-health-check", "all", "--warnings", "off", "--generation-database", "none"]
    for one in LAST:
        command += [chosen, one]
    hooks = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": HERE, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.call(command, cwd=data, env=hooks)

def as_role(role, seconds, seed):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url, failed = f"http://127.0.0.1:{port}", 0
    with tempfile.TemporaryDirectory() as data:
        env = {**os.environ, "KILELE_LISTEN": f"127.0.0.1:{port}", "KILELE_DATA_DIR": data, "KILELE_LOG": "error",
               "KILELE_SIGN_IN_PER_MINUTE": "100000", "KILELE_API_PER_MINUTE": "0", "KILELE_SYNC_PER_MINUTE": "0"}
        binary = os.path.abspath(os.environ.get("KILELE_BINARY", os.path.join(ROOT, "target/debug/kilele")))
        server = subprocess.Popen([binary, "serve", "--demo"], env=env, cwd=data, stdout=subprocess.DEVNULL)
        try:
            for _ in range(600):
                try:
                    ask(f"{url}/health/ready")
                    break
                except OSError:
                    time.sleep(0.1)
            demo = ask(f"{url}/api/start")["demo_accounts"]
            account = next(one for one in demo if one["login"] == LOGINS[role])
            def token(n):
                device = {"id": "01900000-0000-7000-8000-%012d" % n, "name": "Schemathesis"}
                return ask(f"{url}/api/sessions", {"login": account["login"], "password": account["password"],
                                                   "tokens": True, "device": device})["access_token"]
            tokens = token(1), token(2)
            last = max(5, seconds // 6)
            print(f"as {role}, {seconds} s, seed {seed}", flush=True)
            failed |= schemathesis(url, tokens[0], seconds - last, seed, "--exclude-operation-id", data)
            failed |= schemathesis(url, tokens[1], last, seed, "--include-operation-id", data)
            ask(f"{url}/health/ready")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    return failed

def main():
    seconds, roles = int(sys.argv[1]), sys.argv[2:] or ["org_admin"]
    seed = os.environ.get("KILELE_TEST_SEED", "20261120")
    # Each, also when one before failed.
    sys.exit(1 if any([as_role(role, seconds, seed) for role in roles]) else 0)

main()
