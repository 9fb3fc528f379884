-- Databases and roles of an empty server: psql -v ON_ERROR_STOP=1 -f roles.sql, as a role that may create both. DATABASE_PASSWORD in psql's
-- environment is what every role signs in with; give each its own on anything but a trial (ALTER ROLE … PASSWORD).
--   <database>_owner  owns the tables; only migrations use it
--   <database>_app    reads and writes through row-level security
--   <database>_relay  publishes what is committed
\getenv password DATABASE_PASSWORD
\if :{?password}
\else
  \warn 'DATABASE_PASSWORD is required'
  \quit
\endif

SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', database || '_' || role, :'password')
  FROM unnest(ARRAY['ingest', 'conversation', 'routing', 'billing', 'audit_log', 'gateway', 'keyring']) AS database,
       unnest(ARRAY['owner', 'app', 'relay']) AS role
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = database || '_' || role)
\gexec

-- The relay polls with small statements all day: compiling them costs more than it gains.
SELECT format('ALTER ROLE %I SET jit = off', rolname) FROM pg_roles WHERE rolname ~ '^(ingest|conversation|routing|billing|audit_log)_relay$'
\gexec

SELECT format('CREATE DATABASE %I OWNER %I', database, database || '_owner')
  FROM unnest(ARRAY['ingest', 'conversation', 'routing', 'billing', 'audit_log', 'gateway', 'keyring']) AS database
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = database)
\gexec

SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', database),
       format('GRANT CONNECT ON DATABASE %1$I TO %1$s_owner, %1$s_app, %1$s_relay', database)
  FROM unnest(ARRAY['ingest', 'conversation', 'routing', 'billing', 'audit_log', 'gateway', 'keyring']) AS database
\gexec
