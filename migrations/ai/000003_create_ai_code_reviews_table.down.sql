DROP TABLE ai_code_reviews;
