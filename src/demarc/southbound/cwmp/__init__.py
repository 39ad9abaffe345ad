"""Where devices in subscribers' homes speak CWMP (TR-069) with Demarc, and are called."""
