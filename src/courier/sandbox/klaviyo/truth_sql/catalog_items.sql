SELECT
    id, external_id, title, description, price, url, image_full_url, image_thumbnail_url, images, custom_metadata,
    published, to_timestamp(created) AS created, to_timestamp(updated) AS updated
FROM made.catalog_item
