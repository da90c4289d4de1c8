-- Who began to fail, and who fails no more, is a part of what the engine commits.
DROP TRIGGER retry_began;
DROP TRIGGER retry_ended;
