-- What can be sold, and where.

CREATE TABLE area (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id   uuid NOT NULL,
    network_id uuid NOT NULL,
    slug       text NOT NULL,
    name       text NOT NULL,
    available  boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (network_id, slug),
    UNIQUE (network_id, id),
    FOREIGN KEY (network_id, owner_id) REFERENCES network (id, owner_id)
);

CREATE TABLE product (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id     uuid NOT NULL,
    network_id   uuid NOT NULL,
    -- set: only this ISP sells it; not set: every ISP on the network does
    isp_id       uuid REFERENCES tenant,
    code         text NOT NULL,
    name         text NOT NULL,
    description  text,
    technology   text NOT NULL DEFAULT 'gpon',
    download_bps bigint NOT NULL CHECK (download_bps > 0),
    upload_bps   bigint NOT NULL CHECK (upload_bps > 0),
    monthly_price numeric(18, 4) CHECK (monthly_price >= 0),
    currency     char(3),
    active       boolean NOT NULL DEFAULT true,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (network_id, code),
    UNIQUE (network_id, id),
    CHECK ((monthly_price IS NULL) = (currency IS NULL)),
    FOREIGN KEY (network_id, owner_id) REFERENCES network (id, owner_id)
);

CREATE TABLE product_area (
    network_id uuid NOT NULL,
    product_id uuid NOT NULL,
    area_id    uuid NOT NULL,
    PRIMARY KEY (product_id, area_id),
    FOREIGN KEY (network_id, product_id) REFERENCES product (network_id, id) ON DELETE CASCADE,
    FOREIGN KEY (network_id, area_id) REFERENCES area (network_id, id) ON DELETE CASCADE
);
CREATE INDEX product_area_area ON product_area (area_id);

CREATE TRIGGER product_changed AFTER INSERT OR UPDATE OR DELETE ON product
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('product', 'id', 'owner_id');
