-- A login role may be one that owns nothing: jobs are carried out, and the history of the schema is
-- read, as demarc_system.

GRANT SELECT ON migration TO demarc_system;

DO $$
DECLARE
    thing record;
BEGIN
    FOR thing IN
        SELECT c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relname LIKE 'procrastinate\_%'
          AND c.relkind IN ('r', 'S')
    LOOP
        EXECUTE format(
            CASE thing.relkind WHEN 'S' THEN 'GRANT USAGE, SELECT ON SEQUENCE %I TO demarc_system'
                 ELSE 'GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO demarc_system' END,
            thing.relname);
    END LOOP;
END
$$;

-- Encrypting a stored secret anew changes no service: it does not count as changed by it. Who does
-- so says it for their transaction.
CREATE OR REPLACE FUNCTION demarc_service_touched() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('demarc.reencrypts', true) = 'on' THEN
        RETURN NEW;
    END IF;
    NEW.changed_xid := pg_current_xact_id();
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
