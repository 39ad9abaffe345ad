-- Roles, the tenant of a transaction, and the log of changes.
--
-- demarc_app    what API calls run as: row-level security decides what exists for them
-- demarc_system what RADIUS, workers and log-in run as: sees every tenant
-- Both are entered with SET ROLE by the login role; neither can log in.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['demarc_app', 'demarc_system'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
        EXCEPTION
            -- roles belong to the whole cluster: another database may be migrating too
            WHEN duplicate_object OR unique_violation THEN NULL;
        END;
        -- from PostgreSQL 16 on, who made a role is its member without the right to enter it
        IF NOT pg_has_role(current_user, wanted, CASE
               WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET'
               ELSE 'MEMBER' END) THEN
            EXECUTE format('GRANT %I TO %I', wanted, current_user);
        END IF;
    END LOOP;
END
$$;

CREATE FUNCTION demarc_tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('demarc.tenant', true), '')::uuid;

-- What others must notice. Readers keep a pg_snapshot as their cursor and take the rows their
-- snapshot had not yet seen, so that a long transaction is never overtaken and lost.
CREATE TABLE change (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid       xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at        timestamptz NOT NULL DEFAULT now(),
    tenant_id uuid,
    kind      text NOT NULL,
    key       uuid NOT NULL,
    operation text NOT NULL CHECK (operation IN ('insert', 'update', 'delete'))
);
CREATE INDEX change_xid ON change (xid);
CREATE INDEX change_at ON change USING brin (at);

CREATE FUNCTION demarc_log_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
-- TG_ARGV[0] kind; [1] the column with the key; [2] the column with the tenant, '' if none
DECLARE
    row_image jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    INSERT INTO change (tenant_id, kind, key, operation)
    VALUES (
        (row_image ->> nullif(TG_ARGV[2], ''))::uuid,
        TG_ARGV[0],
        (row_image ->> TG_ARGV[1])::uuid,
        lower(TG_OP)
    );
    PERFORM pg_notify('demarc_change', TG_ARGV[0]);
    RETURN NULL;
END
$$;

-- Partitions are made ahead of time; a missing one is an alarm, never a lost row.
CREATE FUNCTION demarc_ensure_partitions(parent text, unit text, since date, until date)
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
            made := made + 1;
        END IF;
        lower_bound := upper_bound;
    END LOOP;
    RETURN made;
END
$$;

-- Requests that create carry an Idempotency-Key; the first answer is kept and given again.
CREATE TABLE idempotency (
    tenant_id  uuid NOT NULL,
    actor_id   uuid NOT NULL,
    key        text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    request    bytea NOT NULL,
    status     smallint NOT NULL,
    location   text,
    body       bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, actor_id, key)
);
CREATE INDEX idempotency_created ON idempotency (created_at);

-- Retention by whole partitions: those that end before the given day go.
CREATE FUNCTION demarc_drop_partitions(parent text, before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone TO 'UTC' AS $$
DECLARE
    child record;
    dropped integer := 0;
BEGIN
    FOR child IN
        SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) AS bound
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = quote_ident(parent)::regclass
    LOOP
        IF substring(child.bound FROM $x$TO \('([0-9-]{10})$x$)::date <= before THEN
            EXECUTE format('DROP TABLE %I', child.relname);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END
$$;

REVOKE EXECUTE ON FUNCTION demarc_ensure_partitions(text, text, date, date) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION demarc_drop_partitions(text, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION demarc_ensure_partitions(text, text, date, date) TO demarc_system;
GRANT EXECUTE ON FUNCTION demarc_drop_partitions(text, date) TO demarc_system;
