-- What a log-in is given beyond its speed, and keeping live sessions to it.

-- Whether a NAS takes requests on live sessions (RFC 5176): changes and ends, ends alone, none.
ALTER TABLE nas ADD COLUMN coa text NOT NULL DEFAULT 'change'
    CHECK (coa IN ('change', 'disconnect', 'none'));

-- Settings are those of demarc.domains.aaa.profiles.Settings; what is left out has its default.
CREATE TABLE radius_profile (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id  uuid NOT NULL REFERENCES tenant,
    name       text NOT NULL CHECK (name <> ''),
    settings   jsonb NOT NULL DEFAULT '{}',
    -- for the tenant's log-ins that have none of their own and none by their product
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, name)
);
CREATE UNIQUE INDEX radius_profile_default ON radius_profile (tenant_id) WHERE is_default;

ALTER TABLE product ADD COLUMN profile_id uuid REFERENCES radius_profile;

ALTER TABLE credential
    -- of the service itself, which comes before its product's
    ADD COLUMN profile_id uuid REFERENCES radius_profile,
    -- kept beside the product's, so that an Accept needs one row
    ADD COLUMN product_profile_id uuid REFERENCES radius_profile,
    -- its quota is used up until then; null where it is not
    ADD COLUMN quota_until timestamptz;
CREATE INDEX credential_profile ON credential (profile_id) WHERE profile_id IS NOT NULL;
CREATE INDEX credential_product_profile ON credential (product_profile_id)
    WHERE product_profile_id IS NOT NULL;
CREATE INDEX credential_expires ON credential (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX credential_quota ON credential (quota_until) WHERE quota_until IS NOT NULL;

-- The profile that holds for a log-in: its own, its product's, or its tenant's.
CREATE FUNCTION demarc_profile(own uuid, of_product uuid, tenant uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT coalesce(own, of_product,
                    (SELECT id FROM radius_profile WHERE tenant_id = tenant AND is_default))
$$;

-- One of its settings, which the owner of a network may have to know though it does not see the
-- profiles of its ISPs; null where it has its default.
CREATE FUNCTION demarc_profile_setting(own uuid, of_product uuid, tenant uuid, key text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT settings ->> key FROM radius_profile WHERE id = demarc_profile(own, of_product, tenant)
$$;

-- Whoever makes a credential need not think of its product's profile, nor of what holds for the
-- service's other credentials.
CREATE FUNCTION demarc_credential_profile() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    other record;
BEGIN
    NEW.product_profile_id := (SELECT p.profile_id FROM service s JOIN product p ON p.id = s.product_id
                               WHERE s.id = NEW.service_id);
    SELECT profile_id, expires_at, quota_until INTO other FROM credential
    WHERE service_id = NEW.service_id ORDER BY created_at, id LIMIT 1;
    IF FOUND THEN
        NEW.profile_id := coalesce(NEW.profile_id, other.profile_id);
        NEW.expires_at := coalesce(NEW.expires_at, other.expires_at);
        NEW.quota_until := coalesce(NEW.quota_until, other.quota_until);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER credential_profile BEFORE INSERT ON credential
    FOR EACH ROW EXECUTE FUNCTION demarc_credential_profile();

-- What the sessions of a station were last given: by an Accept, or by a change that was
-- acknowledged. "terms" is a text of Terms.label.
CREATE TABLE session_terms (
    credential_id uuid NOT NULL REFERENCES credential ON DELETE CASCADE,
    -- Calling-Station-Id, empty where there is none
    station       text NOT NULL,
    tenant_id     uuid NOT NULL,
    owner_id      uuid NOT NULL,
    terms         text NOT NULL,
    given_at      timestamptz NOT NULL,
    PRIMARY KEY (credential_id, station)
) WITH (fillfactor = 85);

-- Log-ins whose live sessions may have other terms than they should; worked off in portions.
CREATE TABLE terms_due (
    credential_id uuid PRIMARY KEY REFERENCES credential ON DELETE CASCADE,
    since         timestamptz NOT NULL DEFAULT now(),
    next_at       timestamptz NOT NULL,
    tries         integer NOT NULL DEFAULT 0,
    -- its NAS has enough to do for now
    held          boolean NOT NULL DEFAULT false,
    reason        text NOT NULL
);
CREATE INDEX terms_due_next ON terms_due (next_at);

-- Whoever changes what a log-in is given need not think of its live sessions. What is done with
-- them at once has a minute's start.
CREATE FUNCTION demarc_terms_due() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO terms_due AS d (credential_id, next_at, reason)
    VALUES (NEW.id, now() + interval '1 minute', CASE
                WHEN NEW.access <> OLD.access THEN 'service ' || NEW.access
                WHEN (NEW.download_bps, NEW.upload_bps) <> (OLD.download_bps, OLD.upload_bps)
                    THEN 'speed changed'
                WHEN NEW.quota_until IS DISTINCT FROM OLD.quota_until
                    THEN CASE WHEN NEW.quota_until IS NULL THEN 'quota renewed'
                              ELSE 'quota used up' END
                WHEN NEW.expires_at IS DISTINCT FROM OLD.expires_at THEN 'expiry changed'
                ELSE 'profile changed' END)
    ON CONFLICT (credential_id) DO UPDATE
        SET since = excluded.since, next_at = excluded.next_at, tries = 0,
            reason = excluded.reason;
    -- by another profile, or at another speed, a quota is to be counted anew
    UPDATE quota_use SET count_at = now()
    WHERE service_id = NEW.service_id AND count_at > now()
      AND (OLD.download_bps, OLD.upload_bps, OLD.profile_id, OLD.product_profile_id)
          IS DISTINCT FROM
          (NEW.download_bps, NEW.upload_bps, NEW.profile_id, NEW.product_profile_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER credential_terms AFTER UPDATE OF access, download_bps, upload_bps, expires_at,
        profile_id, product_profile_id, quota_until ON credential
    FOR EACH ROW WHEN (
        (OLD.access, OLD.download_bps, OLD.upload_bps, OLD.expires_at, OLD.profile_id,
         OLD.product_profile_id, OLD.quota_until)
        IS DISTINCT FROM
        (NEW.access, NEW.download_bps, NEW.upload_bps, NEW.expires_at, NEW.profile_id,
         NEW.product_profile_id, NEW.quota_until))
    EXECUTE FUNCTION demarc_terms_due();

-- Until when it has been seen to that terms change with the time: windows, expiry, quotas.
CREATE TABLE terms_clock (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    at  timestamptz NOT NULL
);
INSERT INTO terms_clock (at) VALUES (now());

-- How much of its quota a service has used.
CREATE TABLE quota_use (
    service_id  uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL,
    owner_id    uuid NOT NULL,
    -- the local days that count, "until" is not one of them; null where it is prepaid
    period_from date NOT NULL,
    period_until date,
    used        bigint NOT NULL,
    -- with what was bought beside
    allowance   bigint NOT NULL,
    counted_at  timestamptz NOT NULL,
    -- it cannot be used up before
    count_at    timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, service_id) REFERENCES service (tenant_id, id)
);
CREATE INDEX quota_use_due ON quota_use (count_at);

CREATE TABLE quota_topup (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id  uuid NOT NULL,
    owner_id   uuid NOT NULL,
    service_id uuid NOT NULL,
    octets     bigint NOT NULL CHECK (octets > 0),
    -- local day it is of: it counts in the period that day lies in
    day        date NOT NULL,
    note       text,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (tenant_id, service_id) REFERENCES service (tenant_id, id)
);
CREATE INDEX quota_topup_service ON quota_topup (service_id, day);

CREATE TRIGGER radius_profile_changed AFTER INSERT OR UPDATE OR DELETE ON radius_profile
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('radius_profile', 'id', 'tenant_id');
-- beside the credential's other columns that are kept in memory
CREATE TRIGGER credential_profile_changed AFTER UPDATE OF profile_id, product_profile_id,
        quota_until ON credential
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('credential', 'id', 'tenant_id');

-- Row-level security, as in 0010 and 0013.
DO $$
DECLARE
    rule record;
BEGIN
    FOR rule IN
        SELECT * FROM (VALUES
            -- table, who may see a row, who may write it (null: nobody)
            ('radius_profile', 'tenant_id IN (SELECT demarc_owners())', 'tenant_id = (SELECT demarc_tenant())'),
            ('session_terms', 'tenant_id = (SELECT demarc_tenant()) OR owner_id = (SELECT demarc_tenant())', NULL),
            ('terms_due', NULL, NULL),
            ('terms_clock', NULL, NULL),
            ('quota_use', 'tenant_id = (SELECT demarc_tenant()) OR owner_id = (SELECT demarc_tenant())', NULL),
            ('quota_topup', 'tenant_id = (SELECT demarc_tenant()) OR owner_id = (SELECT demarc_tenant())', 'tenant_id = (SELECT demarc_tenant()) OR owner_id = (SELECT demarc_tenant())')
        ) AS t (name, sees, writes)
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', rule.name);
        EXECUTE format('CREATE POLICY system ON %I TO demarc_system USING (true) WITH CHECK (true)', rule.name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO demarc_system', rule.name);
        IF rule.sees IS NOT NULL THEN
            EXECUTE format('GRANT SELECT ON %I TO demarc_app', rule.name);
            EXECUTE format('CREATE POLICY sees ON %I FOR SELECT TO demarc_app USING (%s)', rule.name, rule.sees);
        END IF;
        IF rule.writes IS NOT NULL THEN
            EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO demarc_app', rule.name);
            EXECUTE format('CREATE POLICY inserts ON %I FOR INSERT TO demarc_app WITH CHECK (%s)', rule.name, rule.writes);
            EXECUTE format('CREATE POLICY updates ON %I FOR UPDATE TO demarc_app USING (%s) WITH CHECK (%s)', rule.name, rule.sees, rule.writes);
            EXECUTE format('CREATE POLICY deletes ON %I FOR DELETE TO demarc_app USING (%s)', rule.name, rule.writes);
        END IF;
    END LOOP;
END
$$;
