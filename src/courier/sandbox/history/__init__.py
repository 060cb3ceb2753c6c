"""The made-up commerce history that every emulated source tells a part of."""
