"""Every metric there is, and what it means. ``docs/metrics.md`` is made of this.

Names are Prometheus': base units (seconds, bytes), counters end in ``_total``. Every series has the
label ``process`` too: which process of this machine told it.
"""

from typing import Final, Literal

import msgspec

PREFIX: Final = "demarc_"
"""What every name begins with."""


class Metric(msgspec.Struct, frozen=True):
    """A metric.

    Attributes:
        name: as Prometheus has it.
        kind: as Prometheus calls it.
        help: what it tells, in a sentence.
        labels: what its series are told apart by, beside ``process``.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"{PREFIX}{name}_total", "counter", text, labels)


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return Metric(PREFIX + name, "gauge", text, labels)


def _histogram(name: str, text: str, *labels: str) -> Metric:
    return Metric(PREFIX + name, "histogram", text, labels)


RADIUS = (
    _counter("radius_replies", "Answers to Access-Requests and Status-Servers.", "kind"),
    _counter("radius_dropped", "Packets that got no answer, by why.", "reason"),
    _counter("radius_duplicates", "Retransmissions answered from memory, or still under way."),
    _counter("radius_accounting", "Accounting packets, by what became of them.", "kind"),
    _counter("radius_proxy", "What became of requests to home servers.", "kind"),
    _counter("radsec_connections", "What happened to connections of RADIUS over TLS.", "kind"),
    _counter("radsec_refused", "Connections of RADIUS over TLS that were not, by why.", "reason"),
    _counter("radius_attempts_lost", "Log-in attempts answered but not recorded."),
    _counter("radius_clients_signing", "Clients found to send Message-Authenticator."),
    _counter("radius_stale_answers", "Log-ins answered from memory while the database was away."),
    _counter("radius_further_leases", "Addresses leased to a further station of a log-in."),
    _histogram(
        "radius_answer_seconds",
        "From a verified packet to its answer; accounting is answered once it is stored.",
        "kind",
    ),
    _gauge("radius_clients", "NASes known."),
    _gauge("radius_other_nodes", "Other RADIUS processes on the same database."),
    _gauge("radius_logged_in", "Log-ins that are on line, on this node or another."),
    _gauge("radius_proxied", "Requests under way to home servers."),
    _gauge("radius_home_servers_dead", "Ports of home servers that do not answer."),
    _gauge("radius_spool_bytes", "Accounting on disk until the database is back."),
    _gauge("radius_clients_signing", "Addresses that send Message-Authenticator."),
    _gauge("radius_credentials", "Log-ins in memory."),
    _gauge("radius_accounting_waiting", "Accounting packets not stored yet."),
    _gauge("radius_attempts_waiting", "Answered attempts not recorded yet."),
    _gauge("radius_radsec_connections", "Open connections of RADIUS over TLS that came to us."),
    _gauge("radius_database_away", "1 while log-ins cannot be read."),
)

HTTP = (
    _counter("http_requests", "Calls answered, by API and class of status.", "api", "status"),
    _histogram("http_request_seconds", "From a call to the beginning of its answer.", "api"),
    _gauge("http_connections", "Open connections of clients."),
    _gauge(
        "tls_certificate_expiry_timestamp_seconds",
        "When a certificate is no longer valid, seconds since 1970; use is https, radsec or eap.",
        "use",
    ),
)

CWMP = (
    _counter("cwmp_informs", "Informs of devices, by their first event.", "event"),
    _counter("cwmp_requests", "Requests put to devices.", "kind"),
    _counter("cwmp_procedures", "What devices were to do, by outcome.", "kind", "outcome"),
    _counter("cwmp_calls", "Devices asked to come, by what became of it.", "outcome"),
    _counter("cwmp_autonomous_transfers", "Transfers that devices began by themselves."),
    _counter("cwmp_refused", "Requests of devices that were refused, by why.", "reason"),
    _counter("cwmp_broken_off", "Sessions that devices did not end."),
    _counter("cwmp_quarantined", "Devices that nobody knows, kept for a person to see."),
    _counter("cwmp_taken_up", "Sessions taken over from another process."),
    _gauge("cwmp_sessions", "Devices that are in a session."),
)

DATABASE = (
    _gauge("database_pool_size", "Connections of a pool.", "pool"),
    _gauge("database_pool_available", "Connections of a pool that are lent to nobody.", "pool"),
    _gauge("database_pool_waiting", "Callers that wait for a connection.", "pool"),
    _counter("database_pool_requests", "Connections asked for.", "pool"),
    _counter("database_pool_wait_seconds", "Time callers have waited for a connection.", "pool"),
    _counter("database_pool_errors", "Callers that got no connection in time.", "pool"),
    _counter("database_pool_lost", "Connections that turned out to be lost.", "pool"),
    _gauge("database_up", "1 if the database answered the last look, each 15 seconds."),
    _gauge("database_clock_offset_seconds", "The database's clock less this machine's."),
    _gauge("database_size_bytes", "Size of the database."),
    _gauge(
        "partitions_ahead_seconds", "Time ahead for which partitions of a table are there.", "table"
    ),
    _gauge("change_log_rows", "Changes kept for readers that were away, about."),
    _gauge(
        "change_log_read_age_seconds",
        "Since a reader last read the changes; half a minute where nothing changes.",
        "reader",
    ),
    _gauge("accounting_quarantine_rows", "Accounting packets put aside for a person to see."),
    _gauge("sessions_live", "Sessions that are on line."),
)

WORK = (
    _gauge("jobs_waiting", "Jobs that could run now and do not yet.", "queue"),
    _gauge("jobs_running", "Jobs under way.", "queue"),
    _gauge("jobs_failed", "Jobs that failed for good and are kept for a person to see.", "queue"),
    _gauge("jobs_oldest_seconds", "How long the first of the waiting jobs has waited.", "queue"),
    _counter("jobs", "Jobs that ended, by how.", "result", "task"),
    _histogram("job_seconds", "How long jobs took.", "task"),
    _gauge("olts", "OLTs that are polled."),
    _gauge("olts_failing", "OLTs whose last poll failed."),
    _gauge("olt_poll_oldest_seconds", "Since the OLT that was not polled for longest was."),
)

PROCESSES = (
    _gauge("info", "1; the labels say what runs here.", "node", "roles", "version"),
    _gauge("process_up", "1 if the process told its metrics in time."),
    _counter("process_restarts", "How often a process that died was started again."),
    _gauge("process_looping", "1 while a process dies again and again."),
    _counter("process_cpu_seconds", "Processor time used."),
    _gauge("process_resident_memory_bytes", "Memory in use."),
    _gauge("process_open_fds", "Open files and sockets."),
    _gauge("process_start_time_seconds", "When the process started, seconds since 1970."),
    _histogram(
        "event_loop_lag_seconds", "How late the process' loop was for something due each second."
    ),
    _gauge("data_free_bytes", "Room left where the data folder is."),
    _gauge("data_size_bytes", "Room in all where the data folder is."),
    _counter("log_lines_lost", "Lines of the log that could not be written.", "logger"),
    _counter("metrics_failed", "Values that could not be told.", "name"),
)

SECTIONS: Final[dict[str, tuple[Metric, ...]]] = {
    "RADIUS": RADIUS,
    "HTTP": HTTP,
    "CWMP": CWMP,
    "The database": DATABASE,
    "Jobs and polls": WORK,
    "Processes": PROCESSES,
}
"""All of them, under the headings of the documentation."""

CATALOGUE: Final = tuple(metric for section in SECTIONS.values() for metric in section)

__all__ = ["CATALOGUE", "PREFIX", "SECTIONS", "Metric"]
