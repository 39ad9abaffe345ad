"""Prometheus' and systemd's own tools on what is shipped for them."""

import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"

promtool = shutil.which("promtool")
analyze = shutil.which("systemd-analyze")

needs_promtool = pytest.mark.skipif(
    promtool is None, reason="promtool is not installed (Debian: prometheus)"
)
needs_systemd = pytest.mark.skipif(analyze is None, reason="systemd-analyze is not installed")

# What happens, and the alerts that are to be raised by it, at this minute.
CASES = """
rule_files: [demarc.rules.yml]
evaluation_interval: 1m
tests:
  - name: nothing is wrong
    interval: 1m
    input_series:
      - {series: 'up{job="demarc",instance="a"}', values: '1x60'}
      - {series: 'demarc_process_up{instance="a",process="radius"}', values: '1x60'}
      - {series: 'demarc_database_up{instance="a",process="worker"}', values: '1x60'}
      - {series: 'demarc_partitions_ahead_seconds{instance="a",table="audit"}', values: '5000000x60'}
      - {series: 'demarc_data_free_bytes{instance="a",process="parent"}', values: '50x60'}
      - {series: 'demarc_data_size_bytes{instance="a",process="parent"}', values: '100x60'}
      - {series: 'demarc_radius_answer_seconds_count{instance="a",kind="auth"}', values: '0+60x60'}
      - {series: 'demarc_jobs_oldest_seconds{instance="a",queue="upkeep"}', values: '0x60'}
    alert_rule_test: [ALERTS_NONE]
  - name: a process hangs, and another is started again and again
    interval: 1m
    input_series:
      - {series: 'demarc_process_up{instance="a",process="radius"}', values: '1 0x30'}
      - {series: 'demarc_process_restarts_total{instance="a",process="web"}', values: '0+1x30'}
    alert_rule_test:
      - {eval_time: 10m, alertname: DemarcProcessDown, exp_alerts: [{exp_labels: {severity: page, instance: a, process: radius}}]}
      - {eval_time: 10m, alertname: DemarcProcessLooping, exp_alerts: [{exp_labels: {severity: page, instance: a, process: web}}]}
  - name: the database is away
    interval: 1m
    input_series:
      - {series: 'demarc_database_up{instance="a",process="worker"}', values: '0x30'}
    alert_rule_test:
      - {eval_time: 10m, alertname: DemarcDatabaseAway, exp_alerts: [{exp_labels: {severity: page}}]}
  - name: partitions run out, the disk too, and the certificate
    interval: 2m
    input_series:
      - {series: 'demarc_partitions_ahead_seconds{instance="a",table="audit"}', values: '500000x120'}
      - {series: 'demarc_data_free_bytes{instance="a",process="parent"}', values: '5x120'}
      - {series: 'demarc_data_size_bytes{instance="a",process="parent"}', values: '100x120'}
      - {series: 'demarc_tls_certificate_expiry_timestamp_seconds{instance="a",process="web",use="https"}', values: '900000x120'}
    alert_rule_test:
      - {eval_time: 3h, alertname: DemarcPartitionsMissing, exp_alerts: [{exp_labels: {severity: page, table: audit}}]}
      - {eval_time: 3h, alertname: DemarcDiskFull, exp_alerts: [{exp_labels: {severity: page, instance: a, process: parent}}]}
      - {eval_time: 3h, alertname: DemarcCertificateExpires, exp_alerts: [{exp_labels: {severity: ticket, instance: a, use: https}}]}
  - name: RADIUS falls silent, which it was not the day before
    interval: 2m
    input_series:
      - {series: 'demarc_radius_answer_seconds_count{instance="a",kind="auth"}', values: '0+120x750 90000x150'}
    alert_rule_test:
      - {eval_time: 20h, alertname: DemarcRadiusSilent, exp_alerts: []}
      - {eval_time: 27h, alertname: DemarcRadiusSilent, exp_alerts: [{exp_labels: {severity: page, instance: a}}]}
  - name: most log-ins are refused all of a sudden
    interval: 1m
    input_series:
      - {series: 'demarc_radius_replies_total{instance="a",kind="accept"}', values: '0+1200x1500 1800000+60x30'}
      - {series: 'demarc_radius_replies_total{instance="a",kind="reject"}', values: '0+60x1500 90000+1200x30'}
    alert_rule_test:
      - {eval_time: 24h, alertname: DemarcRadiusRejects, exp_alerts: []}
      - {eval_time: 1520m, alertname: DemarcRadiusRejects, exp_alerts: [{exp_labels: {severity: page, instance: a}}]}
"""


def run(*words, cwd=None):
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("kind", "file"), [("rules", "demarc.rules.yml"), ("config", "prometheus.yml")]
)
@pytest.mark.peer("promtool")
@needs_promtool
def test_promtool_takes_the_files(kind, file):
    code, said = run(promtool, "check", kind, str(DEPLOY / "prometheus" / file))
    assert code == 0, said


@pytest.mark.peer("promtool")
@needs_promtool
def test_alerts_are_raised_by_what_they_are_for(tmp_path):
    rules = DEPLOY / "prometheus/demarc.rules.yml"
    shutil.copy(rules, tmp_path)
    names = [
        line.split("alert:")[1].strip()
        for line in rules.read_text(encoding="utf-8").splitlines()
        if "- alert:" in line
    ]
    quiet = ", ".join(f"{{eval_time: 45m, alertname: {name}, exp_alerts: []}}" for name in names)
    cases = CASES.replace("ALERTS_NONE", quiet)
    # what an alert says is not what this is about
    (tmp_path / "cases.yml").write_text(cases, encoding="utf-8")
    text = (tmp_path / "demarc.rules.yml").read_text(encoding="utf-8")
    kept = [
        line
        for line in text.splitlines()
        if not line.strip().startswith(("summary:", "mend:", "annotations:"))
    ]
    (tmp_path / "demarc.rules.yml").write_text("\n".join(kept) + "\n", encoding="utf-8")
    code, said = run(promtool, "test", "rules", "cases.yml", cwd=tmp_path)
    assert code == 0, said


@pytest.mark.peer("systemd-analyze")
@needs_systemd
def test_systemd_takes_the_unit(tmp_path):
    unit = tmp_path / "demarc.service"
    text = (DEPLOY / "systemd/demarc.service").read_text(encoding="utf-8")
    # the program is elsewhere here
    unit.write_text(text.replace("/opt/demarc/bin/demarc", "/bin/true"), encoding="utf-8")
    _, said = run(analyze, "verify", str(unit))
    assert [line for line in said.splitlines() if "demarc" in line] == []


@pytest.mark.peer("systemd-analyze")
@needs_systemd
def test_the_unit_lets_the_service_do_little_else():
    code, said = run(
        analyze,
        "security",
        "--offline=true",
        "--threshold=25",  # tenths of the points of what stands open, of 100
        str(DEPLOY / "systemd/demarc.service"),
    )
    assert code == 0, said[-200:]
