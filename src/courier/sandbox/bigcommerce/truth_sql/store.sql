SELECT
    1::BIGINT AS default_channel_id,
    'store-' || id || '.example.com' AS domain,
    shop_currency() AS currency,
    id,
    'Courier Sandbox (made up)' AS name,
    'Pro' AS plan_level,
    'Pro' AS plan_name,
    'https://store-' || id || '.example.com' AS secure_url,
    'live' AS status,
    'America/New_York' AS timezone
FROM made.store
