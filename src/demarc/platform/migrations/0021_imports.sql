-- Moving in from another system: which of its things are which of ours, and what each run did.

-- A run of an import; dry runs leave nothing.
CREATE TABLE import_run (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenant,
    -- what the system moved from is called; its names for things are told apart by it
    source     text NOT NULL CHECK (source <> ''),
    kind       text NOT NULL CHECK (kind IN ('subscribers', 'freeradius')),
    state      text NOT NULL DEFAULT 'running'
        CHECK (state IN ('running', 'done', 'stopped', 'interrupted', 'undone')),
    files      text[] NOT NULL,
    lines      bigint NOT NULL DEFAULT 0,
    -- {"customer": {"created": 1, ...}, ...}
    counts     jsonb NOT NULL DEFAULT '{}',
    actor_name text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz
);
CREATE INDEX import_run_tenant ON import_run (tenant_id, started_at);

-- What a thing of the other system has become: by this a second run finds it again.
CREATE TABLE import_item (
    tenant_id uuid NOT NULL REFERENCES tenant,
    source    text NOT NULL,
    kind      text NOT NULL,
    ref       text NOT NULL CHECK (length(ref) BETWEEN 1 AND 600),
    entity_id uuid NOT NULL,
    -- a keyed hash of what the source said of it last
    digest    text NOT NULL,
    -- the run that made it; null where it was there before
    made_by   uuid REFERENCES import_run,
    PRIMARY KEY (tenant_id, source, kind, ref)
);

-- The last number an API gave to a thing of a kind, where its ids are numbers; imported ids raise it.
CREATE TABLE wire_sequence (
    api        text NOT NULL,
    tenant_id  uuid NOT NULL REFERENCES tenant,
    kind       text NOT NULL,
    last_value bigint NOT NULL CHECK (last_value >= 0),
    PRIMARY KEY (api, tenant_id, kind)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['import_run', 'import_item', 'wire_sequence'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY system ON %I TO demarc_system USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO demarc_system, demarc_app', name);
        EXECUTE format('CREATE POLICY sees ON %I FOR SELECT TO demarc_app USING (tenant_id = (SELECT demarc_tenant()))', name);
        EXECUTE format('CREATE POLICY inserts ON %I FOR INSERT TO demarc_app WITH CHECK (tenant_id = (SELECT demarc_tenant()))', name);
        EXECUTE format('CREATE POLICY updates ON %I FOR UPDATE TO demarc_app USING (tenant_id = (SELECT demarc_tenant())) WITH CHECK (tenant_id = (SELECT demarc_tenant()))', name);
        EXECUTE format('CREATE POLICY deletes ON %I FOR DELETE TO demarc_app USING (tenant_id = (SELECT demarc_tenant()))', name);
    END LOOP;
END
$$;

-- A transaction that writes thousands of rows says so (SET LOCAL demarc.in_bulk = 'on') and logs
-- its changes itself, by one statement a kind: a trigger that writes a row and notifies for each
-- row costs more than the rows do.
CREATE OR REPLACE FUNCTION demarc_log_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
-- TG_ARGV[0] kind; [1] the column with the key; [2] the column with the tenant, '' if none
DECLARE
    row_image jsonb;
BEGIN
    IF current_setting('demarc.in_bulk', true) = 'on' THEN
        RETURN NULL;
    END IF;
    row_image := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
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

CREATE FUNCTION demarc_log_changes(kind_of_all text, keys uuid[], operation_of_all text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO change (tenant_id, kind, key, operation)
    SELECT demarc_tenant(), kind_of_all, key, operation_of_all FROM unnest(keys) AS key;
    PERFORM pg_notify('demarc_change', kind_of_all);
END
$$;
REVOKE EXECUTE ON FUNCTION demarc_log_changes(text, uuid[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION demarc_log_changes(text, uuid[], text) TO demarc_app, demarc_system;


-- The server looks by itself at how its tables have grown, but only each minute: an import would go
-- through most of its lines with plans that were made for empty tables.
CREATE FUNCTION demarc_analyze_imported() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    ANALYZE customer, address, premise, service, credential, ip_address, wire_id, import_item;
END
$$;
REVOKE EXECUTE ON FUNCTION demarc_analyze_imported() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION demarc_analyze_imported() TO demarc_app, demarc_system;
