-- The log has ids of people; whoever reads all of it reads the names.
ALTER POLICY seen ON people
    USING (person = (SELECT my_person()) OR (SELECT i_am('it')) OR (SELECT i_find_all()));
