"""All SQL of the catalog domain."""

import msgspec

from demarc.domains.catalog.model import Area, Product
from demarc.platform.statements import Scalar, Statement

_AREA = "id, owner_id, network_id, slug, name, available, created_at"

_PRODUCT = """p.id, p.owner_id, p.network_id, p.isp_id, p.code, p.name, p.description,
    p.technology, p.download_bps, p.upload_bps, p.monthly_price, p.currency::text, p.active,
    p.profile_id, p.created_at, p.updated_at"""


class AreaSells(msgspec.Struct, frozen=True):
    """What an area allows for one product."""

    available: bool
    sells: bool


PUT_AREA = Statement(
    "catalog.put_area",
    f"""
    INSERT INTO area (owner_id, network_id, slug, name, available)
    VALUES (%(owner_id)s, %(network_id)s, %(slug)s, %(name)s, %(available)s)
    ON CONFLICT (network_id, slug) DO UPDATE
        SET name = excluded.name, available = excluded.available
    RETURNING {_AREA}
    """,
    Area,
)

AREAS = Statement(
    "catalog.areas",
    f"SELECT {_AREA} FROM area WHERE network_id = %(network_id)s ORDER BY slug",
    Area,
)

GET_AREA = Statement("catalog.get_area", f"SELECT {_AREA} FROM area WHERE id = %(id)s", Area)

FIND_AREA = Statement(
    "catalog.find_area",
    f"SELECT {_AREA} FROM area WHERE network_id = %(network_id)s AND slug = %(slug)s",
    Area,
)

PUT_PRODUCT = Statement(
    "catalog.put_product",
    f"""
    INSERT INTO product AS p (owner_id, network_id, isp_id, code, name, description, technology,
                              download_bps, upload_bps, monthly_price, currency, active,
                              profile_id)
    VALUES (%(owner_id)s, %(network_id)s, %(isp_id)s::uuid, %(code)s, %(name)s,
            %(description)s::text, %(technology)s, %(download_bps)s, %(upload_bps)s,
            %(monthly_price)s::numeric, %(currency)s::text, %(active)s,
            %(profile_id)s::uuid)
    ON CONFLICT (network_id, code) DO UPDATE SET
        isp_id = excluded.isp_id, name = excluded.name, description = excluded.description,
        technology = excluded.technology, download_bps = excluded.download_bps,
        upload_bps = excluded.upload_bps, monthly_price = excluded.monthly_price,
        currency = excluded.currency, active = excluded.active,
        profile_id = excluded.profile_id, updated_at = now()
    RETURNING {_PRODUCT}
    """,
    Product,
)

GET_PRODUCT = Statement(
    "catalog.get_product", f"SELECT {_PRODUCT} FROM product p WHERE p.id = %(id)s", Product
)

FIND_PRODUCT = Statement(
    "catalog.find_product",
    f"SELECT {_PRODUCT} FROM product p WHERE p.network_id = %(network_id)s AND p.code = %(code)s",
    Product,
)

PRODUCTS = Statement(
    "catalog.products",
    f"SELECT {_PRODUCT} FROM product p WHERE p.network_id = %(network_id)s ORDER BY p.code",
    Product,
)

AREAS_OF_PRODUCT = Statement(
    "catalog.areas_of_product",
    "SELECT area_id AS value FROM product_area WHERE product_id = %(product_id)s ORDER BY 1",
    Scalar,
)

ADD_PRODUCT_AREAS = Statement(
    "catalog.add_product_areas",
    """
    INSERT INTO product_area (network_id, product_id, area_id)
    SELECT %(network_id)s, %(product_id)s, unnest(%(area_ids)s::uuid[]) ON CONFLICT DO NOTHING
    """,
)

DROP_PRODUCT_AREAS = Statement(
    "catalog.drop_product_areas",
    """
    DELETE FROM product_area
    WHERE product_id = %(product_id)s AND area_id <> ALL(%(area_ids)s::uuid[])
    """,
)

AREA_SELLS = Statement(
    "catalog.area_sells",
    """
    SELECT a.available, EXISTS (SELECT 1 FROM product_area x
                                WHERE x.area_id = a.id AND x.product_id = %(product_id)s) AS sells
    FROM area a WHERE a.id = %(area_id)s
    """,
    AreaSells,
)

AREA_ORDERABLE = Statement(
    "catalog.area_orderable",
    """
    SELECT a.available AND EXISTS (
        SELECT 1 FROM product_area x JOIN product p ON p.id = x.product_id
        WHERE x.area_id = a.id AND p.active
          AND (p.isp_id IS NULL OR p.isp_id = %(isp_id)s::uuid)) AS value
    FROM area a WHERE a.id = %(area_id)s
    """,
    Scalar,
)
