-- Community writes its likes and this count in one transaction; it has no other right to write posts.
CREATE FUNCTION count_post_like(liked_post_id BIGINT, change INTEGER) RETURNS INTEGER
LANGUAGE sql
SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
    UPDATE posts
    SET like_count = greatest(coalesce(like_count, 0) + change, 0)
    WHERE id = liked_post_id AND change IN (-1, 1)
    RETURNING like_count
$$;

REVOKE EXECUTE ON FUNCTION count_post_like(BIGINT, INTEGER) FROM public;
