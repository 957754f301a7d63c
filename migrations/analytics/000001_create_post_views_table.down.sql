DROP TABLE post_views;
