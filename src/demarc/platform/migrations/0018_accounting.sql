-- Accounting: how far a spool of packets is booked, and room in the pages of daily usage.

-- Packets that were acknowledged from a spool on disk while the database was away (one row a spool,
-- see southbound/radius/spool.py): those before the position are booked. It moves in the
-- transaction that books them, so that each is booked exactly once, whatever is killed when.
CREATE TABLE accounting_spool (
    id         uuid PRIMARY KEY,
    position   bigint NOT NULL CHECK (position >= 0),
    updated_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE accounting_spool ENABLE ROW LEVEL SECURITY;
CREATE POLICY system ON accounting_spool TO demarc_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON accounting_spool TO demarc_system;

-- A day's row is added to by every interim of the day: with room in its page that leaves the index
-- as it is (HOT). Partitioned tables take no storage parameters, their partitions do.
CREATE FUNCTION demarc_leave_room(child regclass, percent integer) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s SET (fillfactor = %s)', child, percent);
END
$$;
REVOKE EXECUTE ON FUNCTION demarc_leave_room(regclass, integer) FROM PUBLIC;

SELECT demarc_leave_room(inhrelid::regclass, 70) FROM pg_inherits
WHERE inhparent = 'usage_daily'::regclass;

CREATE OR REPLACE FUNCTION demarc_ensure_partitions(parent text, unit text, since date, until date)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone TO 'UTC' AS $$
DECLARE
    lower_bound date := date_trunc(unit, since)::date;
    upper_bound date;
    child text;
    made integer := 0;
BEGIN
    IF unit NOT IN ('day', 'month') THEN
        RAISE EXCEPTION 'partitions are by day or month, not %', unit;
    END IF;
    WHILE lower_bound <= until LOOP
        upper_bound := (lower_bound + ('1 ' || unit)::interval)::date;
        child := parent || to_char(lower_bound, CASE unit WHEN 'day' THEN '_YYYYMMDD' ELSE '_YYYYMM' END);
        IF to_regclass(quote_ident(child)) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                           child, parent, lower_bound, upper_bound);
            IF parent = 'usage_daily' THEN
                PERFORM demarc_leave_room(quote_ident(child)::regclass, 70);
            END IF;
            made := made + 1;
        END IF;
        lower_bound := upper_bound;
    END LOOP;
    RETURN made;
END
$$;
