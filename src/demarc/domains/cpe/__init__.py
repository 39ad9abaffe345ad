"""Equipment in the subscriber's home: who it is, what it is set to, what it is to do."""
