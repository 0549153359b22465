-- tasker.backoff_ms(kind, base_ms, max_ms, n, jitter): pause before the next attempt after n counted ones, in milliseconds.
--   none 0; fixed base; linear base·n; exponential base·2^(n-1); fibonacci base·F(n). jitter -1..1 moves it by up to 15 %; never above max.
-- Pure.
CREATE OR REPLACE FUNCTION tasker.backoff_ms(p_kind text, p_base_ms int, p_max_ms int, p_n int, p_jitter double precision)
RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT least(p_max_ms, round(least(p_max_ms, CASE p_kind
           WHEN 'none'      THEN 0
           WHEN 'fixed'     THEN p_base_ms
           WHEN 'linear'    THEN p_base_ms::float8 * p_n
           WHEN 'fibonacci' THEN p_base_ms::float8 * round(power((1 + sqrt(5::float8)) / 2, least(p_n, 60)) / sqrt(5::float8))
           ELSE                  p_base_ms::float8 * power(2::float8, least(greatest(p_n, 1) - 1, 40))
         END) * (1 + 0.15 * p_jitter)))::int
$$;
