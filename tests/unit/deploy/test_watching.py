"""What is shipped to watch Demarc with asks for metrics that there are, by labels they have."""

import json
import re
from pathlib import Path

import pytest
import yaml

from demarc.platform.telemetry.catalogue import CATALOGUE, SECTIONS

ROOT = Path(__file__).parents[3]
DASHBOARD = json.loads((ROOT / "deploy/grafana/demarc.json").read_text(encoding="utf-8"))
RULES = yaml.safe_load((ROOT / "deploy/prometheus/demarc.rules.yml").read_text(encoding="utf-8"))
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]

# What Prometheus and the scrape add to every series.
OF_ALL = {"process", "instance", "job", "le"}
KNOWN = {}
for metric in CATALOGUE:
    names = [metric.name]
    if metric.kind == "histogram":
        names = [f"{metric.name}_{part}" for part in ("bucket", "count", "sum")]
    KNOWN.update(dict.fromkeys(names, metric))

EXPRESSIONS = [
    *((f"dashboard: {panel['title']}", target["expr"])
      for panel in PANELS for target in panel["targets"]),
    *((f"alert: {rule['alert']}", rule["expr"]) for rule in ALERTS),
]  # fmt: skip


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_every_expression_asks_for_what_there_is(where, expression):
    asked = re.findall(r"\b(demarc_\w+)(?:\{([^}]*)\})?", expression)
    assert asked or 'up{job="demarc"}' in expression
    labels = set(OF_ALL)
    for name, chosen in asked:
        assert name in KNOWN, f"{where} asks for {name}"
        labels |= set(KNOWN[name].labels)
        used = set(re.findall(r"(\w+)\s*(?:=|!)", chosen))
        assert used <= {*KNOWN[name].labels, *OF_ALL}, f"{where} chooses {name} by {used}"
    for grouped in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expression):
        parts = {part.strip() for part in grouped.split(",")}
        assert parts <= labels, f"{where} groups by {parts - labels}"


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_counters_are_asked_how_fast_they_grow_and_gauges_are_not(where, expression):
    for name in re.findall(r"\b(demarc_\w+)", expression):
        grows = KNOWN[name].kind != "gauge"
        used = re.search(rf"\b(rate|increase)\(\s*{name}\b", expression) is not None
        assert used == grows, where


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_every_alert_says_what_is_wrong_and_its_mend(alert):
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert alert["annotations"]["summary"]
    assert alert["annotations"]["mend"]


def test_alerts_are_named_once():
    names = [alert["alert"] for alert in ALERTS]
    assert len(names) == len(set(names))


def test_panels_lie_side_by_side():
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    taken = set()
    for place in places:
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


def test_the_documentation_lists_every_metric():
    text = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `demarc_")]
    wanted = [
        f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{one}`' for one in metric.labels)} "
        f"| {metric.help} |".replace("|  |", "| |")
        for section in SECTIONS.values()
        for metric in section
    ]
    assert rows == wanted
    for section in SECTIONS:
        assert f"\n### {section}\n" in text
