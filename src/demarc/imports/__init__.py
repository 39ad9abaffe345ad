"""Moving in from another system: its subscribers, access servers and accounting become ours."""
