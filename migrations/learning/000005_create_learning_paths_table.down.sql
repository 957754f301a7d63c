DROP TABLE learning_paths;
