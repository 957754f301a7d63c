DROP TABLE course_enrollments;
