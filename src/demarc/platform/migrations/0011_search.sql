-- Searching under row-level security.
--
-- The server applies a caller's condition before the policy only if its operator is leakproof;
-- others, such as @> on arrays and lower(), never reach their index. So what is compared whole is
-- kept in columns of its own (text equality is leakproof), and trigrams are searched through
-- functions that hold the policy's condition themselves.

ALTER TABLE customer ADD COLUMN email_key text GENERATED ALWAYS AS (lower(email)) STORED;
CREATE INDEX customer_email_key ON customer (email_key, created_at, id);
DROP INDEX customer_email;

-- the address folded: case, accents and punctuation do not tell two addresses apart
ALTER TABLE address ADD COLUMN address_key text NOT NULL DEFAULT '';
CREATE INDEX address_key ON address (address_key);

-- the same of the address with the unit
ALTER TABLE premise ADD COLUMN place_key text NOT NULL DEFAULT '';
CREATE INDEX premise_key ON premise (place_key);
CREATE INDEX premise_predefined ON premise (network_id, created_at, id) WHERE predefined;

-- Ids of addresses on the tenant's networks that contain all these trigrams, at most so many.
CREATE FUNCTION demarc_search_address(trigrams text[], at_most integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT ROWS 100 AS $$
    SELECT id FROM address
    WHERE search @> trigrams AND network_id IN (SELECT demarc_networks())
    LIMIT at_most
$$;

-- Ids of the tenant's customers, and of those of no ISP, that contain all these trigrams.
CREATE FUNCTION demarc_search_customer(trigrams text[], at_most integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT ROWS 100 AS $$
    SELECT id FROM customer
    WHERE search @> trigrams
      AND (tenant_id = demarc_tenant()
           OR (tenant_id IS NULL AND owner_id IN (SELECT demarc_owners()))
           OR demarc_owner_may_know(id))
    LIMIT at_most
$$;
