SELECT id, timezone, preferred_currency, test_account, public_api_key, industry, locale FROM made.account
