DROP TABLE course_modules;
