"""Opens a rendered report in headless Chromium, on a desk, on a phone and in the dark, and asks the
page itself: is every line of every chart on its canvas, does the read-out follow the cursor, does
anything run over the edge, was there an error?

usage: report_browser_test.py REPORT_MAIN [SCREENSHOT_FOLDER]
"""

import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

WIDTHS = {"desk": 1200, "phone": 390}
DARK = "--blink-settings=preferredColorScheme=0"

# Before anything of the page runs.
LISTEN = """<script>
window.problems = [];
addEventListener("error", (event) => problems.push(String(event.message)));
addEventListener("securitypolicyviolation", (event) => problems.push("blocked: " + event.blockedURI));
for (const kind of ["error", "warn"]) {
  console[kind] = (...words) => problems.push(kind + ": " + words.join(" "));
}
</script>"""

# After all of it. A line counts as drawn when pixels of exactly its colour are on the canvas.
CHECK = """<script>
const colourOf = (node) => getComputedStyle(node).backgroundColor.match(/\\d+/g).slice(0, 3).join();
const inspect = () => {
  const charts = [...document.querySelectorAll(".charts")].flatMap((group) => {
    const names = [...group.querySelectorAll(".readout button")];
    return [...group.querySelectorAll("canvas")].map((canvas) => {
      const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const pixels = new Map();
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] < 255) continue;
        const colour = data.slice(i, i + 3).join();
        pixels.set(colour, (pixels.get(colour) ?? 0) + 1);
      }
      canvas.dataset.drawn = String(pixels.size > 0);
      const title = canvas.closest("figure").querySelector("figcaption").textContent;
      return {title, width: canvas.clientWidth, lines: Object.fromEntries(names.map((button) =>
        [button.textContent, pixels.get(colourOf(button.querySelector(".key"))) ?? 0]))};
    });
  });
  const root = document.documentElement;
  return {width: innerWidth, scrollWidth: root.scrollWidth, problems, charts,
    readouts: [...document.querySelectorAll(".readout td")].map((cell) => cell.textContent),
    best: document.querySelectorAll(".best").length,
    images: document.images.length, notes: [...document.querySelectorAll(".notes li")].map((li) => li.textContent),
    headings: [...document.querySelectorAll("h2, h3")].map((heading) => heading.textContent)};
};
addEventListener("load", () => setTimeout(() => {
  const first = inspect();
  // Setting one line apart dims the others and must draw again; a second press undoes it.
  const button = document.querySelector(".readout button");
  if (button) {
    button.click();
    first.pressed = button.getAttribute("aria-pressed");
    first.dimmed = document.querySelectorAll(".readout tr.dim").length;
    button.click();
    first.undimmed = document.querySelectorAll(".readout tr.dim").length;
  }
  const over = document.querySelector(".u-over");
  if (over) {
    const {left, top, width, height} = over.getBoundingClientRect();
    const event = {bubbles: true, clientX: left + 0.05 * width, clientY: top + height / 2};
    for (const kind of ["mouseenter", "mousemove"]) over.dispatchEvent(new MouseEvent(kind, event));
  }
  setTimeout(() => {
    first.at = document.querySelector(".readout .at")?.textContent;
    parent.postMessage(JSON.stringify(first), "*");
  }, 300);
}, 300));
</script>"""

# A headless window is never narrower than 500 pixels; a frame may be.
FRAME = """<!doctype html><title>frame</title>
<script>addEventListener("message", ({data}) => { document.body.dataset.result = data; });</script>
<iframe src="%s" style="width: %dpx; height: 900px; border: 0"></iframe>"""


def chromium():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    sys.exit("report_browser_test: chromium is not installed: run scripts/setup (Debian: chromium)")


def browse(page, *flags):
    with tempfile.TemporaryDirectory(prefix="limber-chromium-", ignore_cleanup_errors=True) as profile:
        command = [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update", "--disable-sync",
                   "--hide-scrollbars", f"--user-data-dir={profile}", "--window-size=1400,1000",
                   "--virtual-time-budget=5000", *flags, page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        sys.exit(f"report_browser_test: chromium ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


def inspect(report, width, *flags):
    text = report.read_text(encoding="utf-8")
    expect(text.count("<head>") == 1 and text.count("</body>") == 1, "data broke out of its script")
    page = report.with_name("checked.html")
    page.write_text(text.replace("<head>", "<head>" + LISTEN).replace("</body>", CHECK + "</body>"),
                    encoding="utf-8")
    frame = report.with_name("frame.html")
    frame.write_text(FRAME % (page.name, width), encoding="utf-8")
    found = re.search(r'data-result="([^"]*)"', browse(frame, "--dump-dom", *flags))
    expect(found, "the page's own check did not run")
    return json.loads(html.unescape(found[1]))


def expect(condition, *words):
    if not condition:
        raise AssertionError(" ".join(map(str, words)))


def check_full(result, width):
    expect(result["width"] == width, "window is", result["width"], "wide, expected", width)
    expect(result["scrollWidth"] <= width, "content is", result["scrollWidth"], "wide at", width)
    expect(result["problems"] == [], "console:", result["problems"])
    titles = [chart["title"] for chart in result["charts"]]
    expect(titles == ["AUC", "GAUC", "AUC", "GAUC", "Observed rate",
                      "Training loss: log loss (nats)", "Validation: GAUC"], "charts:", titles)
    for chart in result["charts"]:
        expect(200 <= chart["width"] <= width, chart["title"], "is", chart["width"], "wide")
        expect(len(chart["lines"]) == (3 if ": " in chart["title"] else 7), chart)
        for name, pixels in chart["lines"].items():
            expect(pixels >= 20, f"{chart['title']}: {name}: only {pixels} pixels at {width}")
    expect(result["readouts"] and "" not in result["readouts"], "empty read-outs")
    expect("undefined" not in "".join(result["readouts"] + result["headings"]), "undefined in text")
    # Seven columns in each of two protocols; equal values may share the mark.
    expect(result["best"] >= 14, result["best"], "best values marked")
    expect(result["images"] == 0, "markup in a note was obeyed")
    expect("</script><img src=x onerror=alert(1)>" in result["notes"][1], result["notes"])
    expect("{{data}}" in result["notes"][1], result["notes"])
    expect((result["pressed"], result["dimmed"], result["undimmed"]) == ("true", 6, 0),
           "setting a line apart:", result["pressed"], result["dimmed"], result["undimmed"])
    expect(result["at"].startswith("Support size 0:"), "cursor at the left reads", result["at"])


def check_empty(result, width):
    expect(result["problems"] == [], "console:", result["problems"])
    expect(result["charts"] == [] and result["headings"] == [], "sections without data", result)
    expect(result["scrollWidth"] <= width, "content is", result["scrollWidth"], "wide at", width)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    chromium()
    with tempfile.TemporaryDirectory(prefix="limber-report-") as name:
        folder = pathlib.Path(name)
        full, empty = folder / "full.html", folder / "empty.html"
        subprocess.run([sys.argv[1], full], check=True)
        subprocess.run([sys.argv[1], empty, "empty"], check=True)
        for where in (full, empty):
            expect(not re.search(r'(src|href)="https?:', where.read_text(encoding="utf-8")),
                   where.name, "reaches for the network")
        for kind, width in WIDTHS.items():
            check_full(inspect(full, width), width)
            if len(sys.argv) > 2:
                picture = pathlib.Path(sys.argv[2]) / f"report_{kind}.png"
                browse(full, f"--screenshot={picture}", f"--window-size={width},6000")
        check_full(inspect(full, WIDTHS["desk"], DARK), WIDTHS["desk"])
        check_empty(inspect(empty, WIDTHS["phone"]), WIDTHS["phone"])
    print("report: every chart drawn, nothing over the edge, no errors, at", *WIDTHS.values())


if __name__ == "__main__":
    main()
