DROP TABLE content_recommendations;
