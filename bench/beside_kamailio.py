#!/usr/bin/env python3
"""What a PUBLISH with its NOTIFY costs here and at Kamailio, by turns, over PostgreSQL and with its CPU:

  bench/beside_kamailio.py --bin build/bench/bin [--modes write-through,write-back,db-only] [--synchronous-commit on,off]
                           [--presentities 1000] [--watchers 1] [--seconds 5] [--rounds 1]

BIN holds presence-core, sip-gateway and sip_load of one build; Kamailio with its presence and PostgreSQL modules is
Debian's. Each measurement gets a cluster of its own (deploy/private-postgres.sh), the same `synchronous_commit` on both
sides, and servers that start from nothing; sip_load warms them for a second. Prints a Markdown table.
"""

import argparse
import contextlib
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
KAMAILIO = shutil.which("kamailio") or shutil.which("kamailio", path="/usr/sbin")
SCHEMA = pathlib.Path("/usr/share/kamailio/postgres")
PATIENCE = 20.0

# Our mode, and Kamailio's subs_db_mode, publ_cache of the same meaning.
PEERS = {"write-through": (1, 1), "write-back": (2, 1), "db-only": (3, 0)}

SCRIPT = """#!KAMAILIO
debug=-2
log_stderror=yes
children=2
disable_tcp=yes
auto_aliases=no
alias="example.com"
dns=no
rev_dns=no
sip_warning=0
maxbuffer=16777216
listen=udp:127.0.0.1:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "db_postgres.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"
modparam("presence|presence_xml", "db_url", "postgres://presence:unused@/kamailio")
modparam("presence", "server_address", "sip:127.0.0.1:{port}")
modparam("presence", "subs_db_mode", {subs_db_mode})
modparam("presence", "publ_cache", {publ_cache})
modparam("presence", "notifier_processes", 0)
modparam("presence", "subs_htable_size", 16)
modparam("presence", "pres_htable_size", 16)
modparam("presence", "fetch_rows", 1000)
modparam("presence", "db_table_lock_type", 0)
modparam("presence_xml", "force_active", 1)
modparam("presence_xml", "disable_winfo", 1)
modparam("presence_xml", "disable_bla", 1)
modparam("presence_xml", "disable_xcapdiff", 1)
request_route {{
    if (is_method("PUBLISH")) handle_publish();
    else if (is_method("SUBSCRIBE")) handle_subscribe();
    else sl_send_reply("405", "Method Not Allowed");
    exit;
}}
"""


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, **options).stdout


def wait_until_it_answers(port, child):
    """An OPTIONS gets some answer."""
    end = time.monotonic() + PATIENCE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.bind(("127.0.0.1", 0))
        asker.settimeout(0.2)
        asker.connect(("127.0.0.1", port))
        question = (f"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{asker.getsockname()[1]}"
                    ";branch=z9hG4bKup\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: up\r\n"
                    "CSeq: 1 OPTIONS\r\nMax-Forwards: 1\r\nContent-Length: 0\r\n\r\n").encode()
        while time.monotonic() < end and child.poll() is None:
            with contextlib.suppress(OSError):
                asker.send(question)
                asker.recv(4096)
                return
    raise SystemExit("beside_kamailio: the server does not answer")


@contextlib.contextmanager
def running(command, log, environment=None):
    with open(log, "wb") as output:
        child = subprocess.Popen([str(word) for word in command], stdout=output, stderr=subprocess.STDOUT,
                                 stdin=subprocess.DEVNULL, env=environment)
    try:
        yield child
    finally:
        child.terminate()
        child.wait()


@contextlib.contextmanager
def cluster(folder):
    """The folder of its socket, which every process of it hangs on."""
    dsn = run(ROOT / "deploy" / "private-postgres.sh", "start", folder).strip()
    try:
        yield dsn
    finally:
        run(ROOT / "deploy" / "private-postgres.sh", "stop", folder)


def with_children(pid):
    """A process and those it started. Reads /proc, as pgrep is not everywhere."""
    pids = [str(pid)]
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(status.read_text(encoding="utf-8").rpartition(") ")[2].split()[1]) == pid:
                pids.append(status.parent.name)
    return pids


def load(options, port, servers, folder):
    """What sip_load printed: PUBLISHes a second, CPU of one, and the median and the 99th of 100 of PUBLISH to 200."""
    sip_load = [options.bin / "sip_load", "--target", f"127.0.0.1:{port}", "--watchers", options.watchers]
    run(*sip_load, "--presentities", 50, "--seconds", 1, "--name", "warm", "--pids", servers[0])
    postmaster = int((folder / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    pids = [one for pid in [*servers, postmaster] for one in with_children(pid)]
    printed = run(*sip_load, "--presentities", options.presentities, "--seconds", options.seconds,
                  "--pids", ",".join(pids))
    rate, cost = re.search(r"s: (\d+)/s, ([0-9.]+) us CPU a PUBLISH", printed).groups()
    median, late = re.search(r"PUBLISH to 200: ([0-9.]+) ms median, .* ([0-9.]+) p99", printed).groups()
    return f"{int(rate):,} | {cost} | {median}, {late}"


def kamailio(options, mode, synchronous_commit, folder):
    subs_db_mode, publ_cache = PEERS[mode]
    with cluster(folder / "postgres") as dsn:
        socket_folder = re.search(r"host=(\S+)", dsn).group(1)
        run("psql", "-d", dsn, "-qc", "CREATE DATABASE kamailio", "-c",
            f"ALTER DATABASE kamailio SET synchronous_commit = {synchronous_commit}")
        for name in ("standard", "presence"):
            run("psql", "-qd", dsn.replace("dbname=presence", "dbname=kamailio"), "-f", SCHEMA / f"{name}-create.sql")
        port = free_port()
        script = folder / "kamailio.cfg"
        script.write_text(SCRIPT.format(port=port, subs_db_mode=subs_db_mode, publ_cache=publ_cache), encoding="utf-8")
        with running([KAMAILIO, "-DD", "-E", "-x", "tlsf", "-X", "fm", "-m", 2048, "-M", 64, "-f", script, "-Y", folder,
                      "-w", folder], folder / "kamailio.log", {"PGHOST": socket_folder}) as child:
            wait_until_it_answers(port, child)
            return load(options, port, [child.pid], folder / "postgres")


def ours(options, mode, synchronous_commit, folder):
    with cluster(folder / "postgres") as dsn:
        run(options.bin / "presence-core", "migrate", "up", "--dsn", dsn)
        core = [options.bin / "presence-core", "dev", "--storage", "postgres", "--storage-mode", mode, "--dsn", dsn,
                "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0",
                "--set", f"storage.synchronous_commit={synchronous_commit}", "--set", f"unix_socket={folder}/core.sock"]
        port = free_port()
        gateway = [options.bin / "sip-gateway", "--dev", "--core", f"unix:{folder}/core.sock", "--listen",
                   f"udp:127.0.0.1:{port}", "--ops-listen", "127.0.0.1:0"]
        with running(core, folder / "core.log") as core, running(gateway, folder / "gateway.log") as gateway:
            wait_until_it_answers(port, gateway)
            return load(options, port, [core.pid, gateway.pid], folder / "postgres")


def measure(server, options, mode, synchronous_commit):
    with tempfile.TemporaryDirectory(prefix="beside-") as folder:
        pathlib.Path(folder).chmod(0o755)
        return server(options, mode, synchronous_commit, pathlib.Path(folder))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=lambda path: pathlib.Path(path).resolve(), required=True)
    parser.add_argument("--modes", default="write-through,write-back,db-only")
    parser.add_argument("--synchronous-commit", default="on,off")
    parser.add_argument("--presentities", type=int, default=1000)
    parser.add_argument("--watchers", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    if not KAMAILIO or not SCHEMA.exists():
        raise SystemExit("beside_kamailio: apt-get install kamailio kamailio-presence-modules kamailio-postgres-modules "
                         "kamailio-xml-modules")
    print("| | synchronous_commit | PUBLISH/s | us CPU a PUBLISH with its NOTIFY | PUBLISH to 200, median and p99, ms |")
    print("|---|---|---|---|---|", flush=True)
    for mode in options.modes.split(","):
        for synchronous_commit in options.synchronous_commit.split(","):
            for _ in range(options.rounds):
                print(f"| Kamailio, subs_db_mode {PEERS[mode][0]} | {synchronous_commit} | "
                      f"{measure(kamailio, options, mode, synchronous_commit)} |", flush=True)
                print(f"| ours, {mode} | {synchronous_commit} | {measure(ours, options, mode, synchronous_commit)} |",
                      flush=True)


if __name__ == "__main__":
    main()
