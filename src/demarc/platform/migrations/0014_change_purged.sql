-- Up to which transaction the log of changes is gone: a reader whose cursor is older has missed
-- some of it, and begins anew.

CREATE TABLE change_purged (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    upto xid8 NOT NULL
);

ALTER TABLE change_purged ENABLE ROW LEVEL SECURITY;
CREATE POLICY system ON change_purged TO demarc_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON change_purged TO demarc_system;
