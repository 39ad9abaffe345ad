"""Events that an Inform tells of (TR-069 Amendment 6, table 8)."""

import re
from typing import Final

BOOTSTRAP: Final = "0 BOOTSTRAP"
BOOT: Final = "1 BOOT"
PERIODIC: Final = "2 PERIODIC"
SCHEDULED: Final = "3 SCHEDULED"
VALUE_CHANGE: Final = "4 VALUE CHANGE"
KICKED: Final = "5 KICKED"
CONNECTION_REQUEST: Final = "6 CONNECTION REQUEST"
TRANSFER_COMPLETE: Final = "7 TRANSFER COMPLETE"
DIAGNOSTICS_COMPLETE: Final = "8 DIAGNOSTICS COMPLETE"
REQUEST_DOWNLOAD: Final = "9 REQUEST DOWNLOAD"
AUTONOMOUS_TRANSFER_COMPLETE: Final = "10 AUTONOMOUS TRANSFER COMPLETE"
DU_STATE_CHANGE_COMPLETE: Final = "11 DU STATE CHANGE COMPLETE"
AUTONOMOUS_DU_STATE_CHANGE_COMPLETE: Final = "12 AUTONOMOUS DU STATE CHANGE COMPLETE"
SCHEDULE_DOWNLOAD: Final = "13 SCHEDULE DOWNLOAD"
WAKEUP: Final = "14 WAKEUP"
HEARTBEAT: Final = "15 HEARTBEAT"
M_REBOOT: Final = "M Reboot"
M_SCHEDULE_INFORM: Final = "M ScheduleInform"
M_DOWNLOAD: Final = "M Download"
M_UPLOAD: Final = "M Upload"

_KNOWN: Final = (
    *(BOOTSTRAP, BOOT, PERIODIC, SCHEDULED, VALUE_CHANGE, KICKED, CONNECTION_REQUEST),
    *(TRANSFER_COMPLETE, DIAGNOSTICS_COMPLETE, REQUEST_DOWNLOAD, AUTONOMOUS_TRANSFER_COMPLETE),
    *(DU_STATE_CHANGE_COMPLETE, AUTONOMOUS_DU_STATE_CHANGE_COMPLETE, SCHEDULE_DOWNLOAD),
    *(WAKEUP, HEARTBEAT, M_REBOOT, M_SCHEDULE_INFORM, M_DOWNLOAD, M_UPLOAD),
)
_BY_FORM: Final = {code.lower(): code for code in _KNOWN}
_BY_NUMBER: Final = {code.partition(" ")[0]: code for code in _KNOWN if code[0].isdigit()}
_SPACE: Final = re.compile(r"\s+")


def canonical(text: str) -> str:
    """Give an event code as the standard writes it, whatever a device made of case and spaces.

    A number alone, and a number with other words behind it, is the event of that number.
    """
    code = _SPACE.sub(" ", text).strip()
    known = _BY_FORM.get(code.lower())
    if known is not None:
        return known
    return _BY_NUMBER.get(code.partition(" ")[0], code)


__all__ = [
    "AUTONOMOUS_DU_STATE_CHANGE_COMPLETE",
    "AUTONOMOUS_TRANSFER_COMPLETE",
    "BOOT",
    "BOOTSTRAP",
    "CONNECTION_REQUEST",
    "DIAGNOSTICS_COMPLETE",
    "DU_STATE_CHANGE_COMPLETE",
    "HEARTBEAT",
    "KICKED",
    "M_DOWNLOAD",
    "M_REBOOT",
    "M_SCHEDULE_INFORM",
    "M_UPLOAD",
    "PERIODIC",
    "REQUEST_DOWNLOAD",
    "SCHEDULED",
    "SCHEDULE_DOWNLOAD",
    "TRANSFER_COMPLETE",
    "VALUE_CHANGE",
    "WAKEUP",
    "canonical",
]
