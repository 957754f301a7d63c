DROP TABLE competition_test_cases;
