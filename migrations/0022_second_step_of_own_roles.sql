-- A rule may also name one of the organisation's own roles; `role` is then the role's id as text.
ALTER TABLE sign_in_rule ADD COLUMN custom_role UUID;
