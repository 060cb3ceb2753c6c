-- Run once, when the database server starts with an empty folder. `dagster` is made by POSTGRES_DB.
CREATE DATABASE warehouse;
