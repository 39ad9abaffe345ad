"""CWMP, the CPE WAN Management Protocol (TR-069), as messages and octets; nothing is sent here."""
