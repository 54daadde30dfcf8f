"""Compares what Kilele derives with what its peers do: whole processes, in turn, 20 photos a process.

Arguments: folder of tools and photos, Kilele's binary, rounds, and parts (speed, quality; both when none is named).
Prints medians and what falls short of BUDGETS. Quality may be measured on a busy machine, speed not."""

import glob
import os
import statistics
import subprocess
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
work, kilele, rounds = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), int(sys.argv[3])
parts = sys.argv[4:] or ["speed", "quality"]
SIZES = [1600, 480, 160]
PEERS = ["vips cascade", "sharp cascade", "vipsthumbnail x3", "Pillow draft"]
short = 0


def commands(tool, out, photos):
    """The whole processes that make three sizes of all photos."""
    python = f"{work}/venv/bin/python"
    thumbnail = lambda size: ["vipsthumbnail", "-s", f"{size}x{size}>", "-o", f"{out}/%s-{size}.jpg[Q=80,optimize_coding,strip]"]
    return {
        "Kilele": [[kilele, "derive", out]],
        "vips cascade": [[python, f"{here}/vips.py", out]],
        "sharp cascade": [["node", f"{work}/sharp.cjs", out]],
        "vipsthumbnail x3": [thumbnail(size) for size in SIZES],
        "Pillow draft": [[python, f"{here}/pillow.py", out]],
        "entropy decoding": [[f"{work}/entropy"]],
    }[tool], photos


def run(tool, out, photos):
    """CPU seconds and peak memory in MiB of a tool over all photos."""
    os.makedirs(out, exist_ok=True)
    cpu, peak = 0.0, 0
    lines, photos = commands(tool, out, photos)
    for line in lines:
        child = subprocess.Popen(line + photos, env={**os.environ, "VIPS_CONCURRENCY": "1"})
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            sys.exit(f"{tool} failed: {child.returncode}")
        cpu += used.ru_utime + used.ru_stime
        peak = max(peak, used.ru_maxrss)
    return cpu, peak / 1024


def row(what, measured, budget="", good=None):
    global short
    short += good is False
    print(f"{what:<52} {measured:>22} {budget:>12} {'' if good is None else 'ok' if good else 'SHORT'}", flush=True)


def times(kind, photos):
    tools = ["Kilele"] + PEERS + ["entropy decoding"]
    runs = {tool: [] for tool in tools}
    for number in range(rounds + 1):
        for tool in tools:
            measured = run(tool, f"{work}/out/{kind}/{tool}", photos)
            # The first round warms the caches.
            if number:
                runs[tool].append(measured)
    count = len(photos)
    print(f"\n{kind} MP, {count} photos a process, {rounds} rounds in turn, one thread each")
    for tool in tools:
        start = 0 if tool == "entropy decoding" else statistics.median(run(tool, f"{work}/out/none", [])[0] for _ in range(3)) if tool != "vipsthumbnail x3" else 0
        cpu = statistics.median(cpu for cpu, _ in runs[tool]) / count * 1000
        peak = max(peak for _, peak in runs[tool])
        row(f"  {tool}: CPU a photo, peak", f"{cpu:.1f} ms, {peak:.0f} MiB", f"start {start * 1000:.0f} ms")
    budgets = {"vips cascade": 0.65, "sharp cascade": 0.65, "vipsthumbnail x3": 0.35, "Pillow draft": None, "entropy decoding": 2.6}
    for tool, budget in budgets.items():
        ratio = statistics.median(ours[0] / theirs[0] for ours, theirs in zip(runs["Kilele"], runs[tool]))
        row(f"  CPU against {tool}", f"{ratio:.2f} x", f"<= {budget}" if budget else "", ratio <= budget if budget else None)


def quality(kind, photos):
    for tool in ["Kilele"] + PEERS:
        run(tool, f"{work}/out/{kind}/{tool}", photos)
    folders = [f"{work}/out/{kind}/{tool}" for tool in ["Kilele"] + PEERS]
    scores = {}
    for photo in photos:
        text = subprocess.run([kilele, "score", photo] + folders, check=True, capture_output=True, text=True).stdout
        for line in text.splitlines():
            folder, size, score, length = line.rsplit(" ", 3)
            scores.setdefault((os.path.basename(folder), int(size)), []).append((float(score), int(length)))
    print(f"\n{kind} MP: SSIMULACRA2 (mean) and bytes (sum), peers at quality 80, 4:2:0, optimised tables")
    for size, most in zip(SIZES, [1.05, 1.08, 1.08]):
        mean = lambda tool: statistics.mean(score for score, _ in scores[tool, size])
        total = lambda tool: sum(length for _, length in scores[tool, size])
        row(f"  {size}: Kilele", f"{mean('Kilele'):.2f}, {total('Kilele') // len(photos)} B")
        for tool in PEERS:
            better, ratio = mean("Kilele") - mean(tool), total("Kilele") / total(tool)
            row(f"  {size}: against {tool}, score", f"{better:+.2f}", ">= -0.1", better >= -0.1)
            row(f"  {size}: against {tool}, bytes", f"{ratio:.3f} x", f"<= {most}", ratio <= most)


def memory(kind, photo, most):
    _, peak = run("Kilele", f"{work}/out/{kind}/peak", [photo])
    _, idle = run("Kilele", f"{work}/out/{kind}/peak", [])
    row(f"{kind} MP: peak of one photo above the idle process", f"{peak - idle:.0f} MiB", f"<= {most} MiB", peak - idle <= most)


def both_cores(photos):
    """Twice the photos on two processors against one: photos a second of wall time, median of pairs."""
    ratios = []
    for _ in range(rounds):
        def wall(copies):
            begun = time.perf_counter()
            children = [subprocess.Popen([kilele, "derive", f"{work}/out/none"] + photos) for _ in range(copies)]
            if any(child.wait() for child in children):
                sys.exit("derive failed")
            return copies / (time.perf_counter() - begun)
        ratios.append(wall(2) / wall(1))
    ratio = statistics.median(ratios)
    row("both cores against one", f"{ratio:.2f} x", ">= 1.8", ratio >= 1.8)


print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
twelve = sorted(glob.glob(f"{work}/photos/12-*.jpg"))
large = sorted(glob.glob(f"{work}/photos/48-*.jpg"))
assert len(twelve) == 20 and large, "photos are missing"
if "speed" in parts:
    times("12", twelve)
    times("48", large * 4)
    print()
    memory("12", max(twelve, key=os.path.getsize), 48)
    memory("48", max(large, key=os.path.getsize), 80)
    both_cores(twelve)
if "quality" in parts:
    quality("12", twelve)
    quality("48", large[:2])
print(f"load after: {os.getloadavg()[0]:.1f}; {short} short")
sys.exit(1 if short else 0)
