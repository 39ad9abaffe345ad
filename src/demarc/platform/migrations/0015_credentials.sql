-- What a log-in may be beside a name and a readable password, and what it may be bound to.

ALTER TABLE credential
    -- how "secret" holds the password: readable, or as a hash that was taken over from elsewhere
    ADD COLUMN secret_kind text NOT NULL DEFAULT 'cleartext' CHECK (secret_kind IN
        ('cleartext', 'nt', 'crypt', 'md5', 'smd5', 'sha', 'ssha', 'sha2', 'ssha2')),
    -- from then on it may not log in; null is never
    ADD COLUMN expires_at timestamptz,
    -- the Calling-Station-Id it is bound to: "fixed" is said, "learn" is the first that logs in
    ADD COLUMN station text,
    ADD COLUMN station_binding text NOT NULL DEFAULT 'none'
        CHECK (station_binding IN ('none', 'learn', 'fixed')),
    -- the line it is bound to, as the access node tells it (Agent-Circuit-Id, RFC 4679, or
    -- NAS-Port-Id)
    ADD COLUMN circuit_id text,
    ADD COLUMN circuit_binding text NOT NULL DEFAULT 'none'
        CHECK (circuit_binding IN ('none', 'learn', 'fixed'));

DROP TRIGGER credential_changed ON credential;
CREATE TRIGGER credential_changed AFTER INSERT OR UPDATE OF secret, secret_kind, access,
        download_bps, upload_bps, max_sessions, timezone, username, realm_id, expires_at, station,
        station_binding, circuit_id, circuit_binding OR DELETE ON credential
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('credential', 'id', 'tenant_id');

-- The makes of access servers whose attributes are known.
ALTER TABLE nas DROP CONSTRAINT nas_vendor_check;
ALTER TABLE nas ADD CONSTRAINT nas_vendor_check CHECK (vendor IN ('generic', 'mikrotik', 'huawei',
    'juniper', 'cisco', 'nokia', 'zte', 'accel-ppp', 'wispr'));
