-- IPv6 prefixes, CGNAT, and the life of pools.

ALTER TABLE ip_pool
    -- what its addresses are for; services are leased none of a garden's
    ADD COLUMN purpose text NOT NULL DEFAULT 'service' CHECK (purpose IN ('service', 'garden')),
    ADD COLUMN kind text NOT NULL DEFAULT 'ipv4' CHECK (kind IN ('ipv4', 'framed_ipv6', 'delegated_ipv6')),
    -- of each prefix that is leased from an IPv6 pool
    ADD COLUMN length smallint,
    -- the name of a pool that the NASes have: they are told it, and nothing is leased here
    ADD COLUMN nas_pool text CHECK (nas_pool <> ''),
    -- how many prefixes of an IPv6 pool have become rows so far
    ADD COLUMN made bigint NOT NULL DEFAULT 0,
    -- since then nothing is leased from it, and what is leased moves to other pools
    ADD COLUMN draining_since timestamptz,
    -- since when it has been almost full
    ADD COLUMN alarmed_at timestamptz,
    ALTER COLUMN prefix DROP NOT NULL,
    DROP CONSTRAINT ip_pool_prefix_check,
    ADD CONSTRAINT ip_pool_has_addresses CHECK ((prefix IS NULL) = (nas_pool IS NOT NULL)),
    ADD CONSTRAINT ip_pool_fits_its_kind CHECK (CASE
        WHEN prefix IS NULL THEN length IS NULL
        WHEN kind = 'ipv4' THEN family(prefix) = 4 AND masklen(prefix) >= 16 AND length IS NULL
        ELSE family(prefix) = 6 AND length BETWEEN masklen(prefix) AND 64
            AND length - masklen(prefix) <= 24 AND masklen(prefix) >= 16
    END);

-- One place on a credential is one address and one prefix of each kind: those of one station.
ALTER TABLE ip_address
    ADD COLUMN slot smallint NOT NULL DEFAULT 0 CHECK (slot >= 0),
    -- whether services are leased it: not that of a garden, nor of a pool that is drained
    ADD COLUMN leasable boolean NOT NULL DEFAULT true;
UPDATE ip_address a SET slot = n.slot FROM (
    SELECT network_id, address, row_number() OVER (
        PARTITION BY credential_id ORDER BY kind DESC, assigned_at, address) - 1 AS slot
    FROM ip_address WHERE credential_id IS NOT NULL
) n WHERE n.slot > 0 AND a.network_id = n.network_id AND a.address = n.address;
DROP INDEX ip_address_free;
CREATE INDEX ip_address_free ON ip_address (network_id, reserved_for, address)
    WHERE credential_id IS NULL AND pool_id IS NOT NULL AND leasable;
CREATE INDEX ip_address_further ON ip_address (credential_id, slot)
    WHERE credential_id IS NOT NULL AND slot > 0;

-- IPv6 prefixes that are leased or were, and some that are about to be; the others of a pool are
-- told by its count. No two rows of a network overlap, of whatever length they are: the hash stands
-- for the network, since PostgreSQL has no such index on uuid.
CREATE TABLE ip_prefix (
    network_id    uuid NOT NULL,
    prefix        cidr NOT NULL CHECK (family(prefix) = 6),
    kind          text NOT NULL CHECK (kind IN ('framed_ipv6', 'delegated_ipv6')),
    owner_id      uuid NOT NULL,
    pool_id       uuid REFERENCES ip_pool ON DELETE CASCADE,
    reserved_for  uuid,
    credential_id uuid REFERENCES credential ON DELETE SET NULL,
    slot          smallint NOT NULL DEFAULT 0 CHECK (slot >= 0),
    origin        text NOT NULL DEFAULT 'pooled' CHECK (origin IN ('pooled', 'static')),
    assigned_at   timestamptz,
    free_from     timestamptz NOT NULL DEFAULT '-infinity',
    leasable      boolean NOT NULL DEFAULT true,
    PRIMARY KEY (network_id, prefix),
    CONSTRAINT ip_prefix_one_owner EXCLUDE USING gist (
        int8range(uuid_hash_extended(network_id, 0) / 2, uuid_hash_extended(network_id, 0) / 2, '[]') WITH &&,
        prefix inet_ops WITH &&)
);
CREATE UNIQUE INDEX ip_prefix_credential ON ip_prefix (credential_id, slot, kind)
    WHERE credential_id IS NOT NULL;
-- What has been free for longest comes first, so that what rests is never looked through.
CREATE INDEX ip_prefix_free ON ip_prefix (network_id, kind, reserved_for, free_from, prefix)
    WHERE credential_id IS NULL AND pool_id IS NOT NULL AND leasable;
CREATE INDEX ip_prefix_further ON ip_prefix (credential_id, slot)
    WHERE credential_id IS NOT NULL AND slot > 0;
CREATE INDEX ip_prefix_pool ON ip_prefix (pool_id);

CREATE TRIGGER ip_prefix_changed AFTER INSERT OR UPDATE OF credential_id, slot ON ip_prefix
    FOR EACH ROW WHEN (NEW.credential_id IS NOT NULL)
    EXECUTE FUNCTION demarc_log_change('credential', 'credential_id', '');

-- Makes the next prefixes of a pool into rows, for one ISP (null: for all). An ISP leases from
-- pools it does not see. Tells whether some are free now.
CREATE FUNCTION demarc_extend_prefixes(network uuid, wanted text, isp uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    pool ip_pool;
    top bigint;
    until bigint;
BEGIN
    IF demarc_tenant() IS NOT NULL AND network NOT IN (SELECT demarc_networks()) THEN
        RETURN false;
    END IF;
    LOOP
        SELECT * INTO pool FROM ip_pool
        WHERE network_id = network AND kind = wanted AND purpose = 'service' AND prefix IS NOT NULL
          AND tenant_id IS NOT DISTINCT FROM isp AND draining_since IS NULL
          AND made < 1::bigint << (length - masklen(prefix))
        ORDER BY name LIMIT 1 FOR UPDATE;
        -- whoever held the lock may have made some; a new statement sees them
        IF isp IS NULL THEN
            PERFORM 1 FROM ip_prefix p
            WHERE p.network_id = network AND p.kind = wanted AND p.credential_id IS NULL
              AND p.pool_id IS NOT NULL AND p.leasable AND p.reserved_for IS NULL
              AND p.free_from <= now() AND NOT demarc_prefix_in_session(p.owner_id, p.prefix)
            ORDER BY p.reserved_for, p.free_from, p.prefix LIMIT 1 FOR UPDATE SKIP LOCKED;
        ELSE
            PERFORM 1 FROM ip_prefix p
            WHERE p.network_id = network AND p.kind = wanted AND p.credential_id IS NULL
              AND p.pool_id IS NOT NULL AND p.leasable AND p.reserved_for = isp
              AND p.free_from <= now() AND NOT demarc_prefix_in_session(p.owner_id, p.prefix)
            ORDER BY p.reserved_for, p.free_from, p.prefix LIMIT 1 FOR UPDATE SKIP LOCKED;
        END IF;
        IF FOUND THEN
            RETURN true;
        END IF;
        EXIT WHEN pool.id IS NOT NULL;
        -- or may have filled that pool, and there is another
        IF NOT EXISTS (SELECT 1 FROM ip_pool
                       WHERE network_id = network AND kind = wanted AND purpose = 'service'
                         AND prefix IS NOT NULL AND tenant_id IS NOT DISTINCT FROM isp
                         AND draining_since IS NULL
                         AND made < 1::bigint << (length - masklen(prefix))) THEN
            RETURN false;
        END IF;
    END LOOP;
    until := least(pool.made + 128, 1::bigint << (pool.length - masklen(pool.prefix)));
    -- all that differs stands in the upper half: as a number of 64 bits
    top := ('x' || encode(substring(inet_send(pool.prefix::inet) FROM 5 FOR 8), 'hex'))::bit(64)::bigint;
    INSERT INTO ip_prefix (network_id, prefix, kind, owner_id, pool_id, reserved_for)
    SELECT pool.network_id,
           (regexp_replace(lpad(to_hex(top + (place << (64 - pool.length))), 16, '0'),
                           '(....)(....)(....)(....)', '\1:\2:\3:\4::/') || pool.length)::cidr,
           pool.kind, pool.owner_id, pool.id, pool.tenant_id
    FROM generate_series(pool.made, until - 1) AS place
    ON CONFLICT DO NOTHING;
    UPDATE ip_pool SET made = until WHERE id = pool.id;
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION demarc_extend_prefixes(uuid, text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION demarc_extend_prefixes(uuid, text, uuid) TO demarc_app, demarc_system;

-- Where NASes have the pools there are few names.
CREATE INDEX ip_pool_of_nas ON ip_pool (network_id) WHERE nas_pool IS NOT NULL;

-- The pool that a prefix lies in, or that lies in it.
CREATE FUNCTION demarc_pool_of(network uuid, wanted cidr)
RETURNS TABLE (id uuid, tenant_id uuid, kind text, length integer, leasable boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT p.id, p.tenant_id, p.kind, p.length::integer,
           p.purpose = 'service' AND p.draining_since IS NULL
    FROM ip_pool p WHERE p.network_id = network AND p.prefix && wanted ORDER BY p.prefix LIMIT 1
$$;

-- Whether an ISP gets prefixes of a kind from pools here.
CREATE FUNCTION demarc_has_pool(network uuid, wanted text, isp uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT EXISTS (SELECT 1 FROM ip_pool
                   WHERE network_id = network AND kind = wanted AND purpose = 'service'
                     AND prefix IS NOT NULL AND (tenant_id = isp OR tenant_id IS NULL)
                     AND draining_since IS NULL)
$$;

-- Sessions are found by any address of theirs. Interims change none of these columns.
CREATE INDEX session_live_framed_ipv6 ON session_live (framed_ipv6_prefix)
    WHERE framed_ipv6_prefix IS NOT NULL;
CREATE INDEX session_live_delegated_ipv6 ON session_live (delegated_ipv6_prefix)
    WHERE delegated_ipv6_prefix IS NOT NULL;
CREATE INDEX session_closed_framed_ipv6 ON session_closed (framed_ipv6_prefix, ended_at)
    WHERE framed_ipv6_prefix IS NOT NULL;
CREATE INDEX session_closed_delegated_ipv6 ON session_closed (delegated_ipv6_prefix, ended_at)
    WHERE delegated_ipv6_prefix IS NOT NULL;

CREATE FUNCTION demarc_prefix_in_session(owner uuid, wanted cidr) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT EXISTS (SELECT 1 FROM session_live
                   WHERE framed_ipv6_prefix = wanted::inet AND owner_id = owner)
        OR EXISTS (SELECT 1 FROM session_live
                   WHERE delegated_ipv6_prefix = wanted::inet AND owner_id = owner)
$$;

-- CGNAT by rule: which public address and ports an inside address has. A rule is ended, not
-- changed, so that what was true then can be told of any time.
CREATE TABLE nat_pool (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id    uuid NOT NULL,
    network_id  uuid NOT NULL,
    name        text NOT NULL CHECK (name <> ''),
    inside      cidr NOT NULL CHECK (family(inside) = 4 AND masklen(inside) >= 8),
    public      cidr NOT NULL CHECK (family(public) = 4),
    -- ports of each inside address, the first of them from first_port on
    block_size  integer NOT NULL CHECK (block_size BETWEEN 16 AND 65536),
    first_port  integer NOT NULL CHECK (first_port BETWEEN 0 AND 65535),
    valid_from  timestamptz NOT NULL DEFAULT now(),
    valid_until timestamptz CHECK (valid_until >= valid_from),
    CHECK (first_port + block_size <= 65536),
    -- there is a block for each inside address
    CHECK (1::bigint << (32 - masklen(inside)) <= (1::bigint << (32 - masklen(public))) * ((65536 - first_port) / block_size)),
    FOREIGN KEY (network_id, owner_id) REFERENCES network (id, owner_id),
    CONSTRAINT nat_pool_public_once EXCLUDE USING gist (
        int8range(uuid_hash_extended(network_id, 0) / 2, uuid_hash_extended(network_id, 0) / 2, '[]') WITH &&,
        public inet_ops WITH &&, tstzrange(valid_from, valid_until) WITH &&),
    CONSTRAINT nat_pool_inside_once EXCLUDE USING gist (
        int8range(uuid_hash_extended(network_id, 0) / 2, uuid_hash_extended(network_id, 0) / 2, '[]') WITH &&,
        inside inet_ops WITH &&, tstzrange(valid_from, valid_until) WITH &&)
);
CREATE UNIQUE INDEX nat_pool_name ON nat_pool (network_id, name) WHERE valid_until IS NULL;

-- CGNAT as the NAS tells it: blocks of ports a session was given.
CREATE TABLE nat_block (
    since           timestamptz NOT NULL,
    until           timestamptz,
    tenant_id       uuid NOT NULL,
    owner_id        uuid NOT NULL,
    credential_id   uuid NOT NULL,
    nas_id          uuid NOT NULL,
    nas_address     inet NOT NULL,
    acct_session_id text NOT NULL,
    public_ipv4     inet NOT NULL,
    port_from       integer NOT NULL CHECK (port_from BETWEEN 0 AND 65535),
    port_to         integer NOT NULL CHECK (port_to BETWEEN port_from AND 65535)
) PARTITION BY RANGE (since);
CREATE INDEX nat_block_public ON nat_block (public_ipv4, port_from);
CREATE INDEX nat_block_open ON nat_block (credential_id, public_ipv4) WHERE until IS NULL;

-- How full pools were on each day, for saying when they will be.
CREATE TABLE ip_pool_day (
    pool_id  uuid NOT NULL REFERENCES ip_pool ON DELETE CASCADE,
    day      date NOT NULL,
    owner_id uuid NOT NULL,
    used     bigint NOT NULL,
    total    bigint NOT NULL,
    PRIMARY KEY (pool_id, day)
);

-- Row-level security, as in 0010 and 0013.
DO $$
DECLARE
    rule record;
BEGIN
    FOR rule IN
        SELECT * FROM (VALUES
            ('ip_prefix', 'owner_id IN (SELECT demarc_owners())', 'owner_id IN (SELECT demarc_owners())'),
            ('nat_pool', 'network_id IN (SELECT demarc_networks())', 'owner_id = (SELECT demarc_tenant())'),
            ('nat_block', 'tenant_id = (SELECT demarc_tenant()) OR owner_id = (SELECT demarc_tenant())', NULL),
            ('ip_pool_day', 'owner_id = (SELECT demarc_tenant())', NULL)
        ) AS t (name, sees, writes)
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', rule.name);
        EXECUTE format('CREATE POLICY system ON %I TO demarc_system USING (true) WITH CHECK (true)', rule.name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO demarc_system', rule.name);
        EXECUTE format('GRANT SELECT ON %I TO demarc_app', rule.name);
        EXECUTE format('CREATE POLICY sees ON %I FOR SELECT TO demarc_app USING (%s)', rule.name, rule.sees);
        IF rule.writes IS NOT NULL THEN
            EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO demarc_app', rule.name);
            EXECUTE format('CREATE POLICY inserts ON %I FOR INSERT TO demarc_app WITH CHECK (%s)', rule.name, rule.writes);
            EXECUTE format('CREATE POLICY updates ON %I FOR UPDATE TO demarc_app USING (%s) WITH CHECK (%s)', rule.name, rule.sees, rule.writes);
            EXECUTE format('CREATE POLICY deletes ON %I FOR DELETE TO demarc_app USING (%s)', rule.name, rule.writes);
        END IF;
    END LOOP;
    PERFORM demarc_ensure_partitions('nat_block', 'month', current_date - 62, current_date + 62);
END
$$;
