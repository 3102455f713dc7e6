package example.ledger.book;

import java.util.Optional;
import java.util.regex.Pattern;

/** The place of an account in the chart of accounts, such as {@code assets:bank:savings}. */
public record AccountId(String path) {

    private static final Pattern PATH = Pattern.compile("[a-z]+(:[a-z0-9-]+)*");

    public AccountId {
        if (!PATH.matcher(path).matches()) {
            throw new IllegalArgumentException("expected a path such as assets:bank, got: " + path);
        }
    }

    /** Reads a path whose parts are separated by colons. */
    public static AccountId of(String path) {
        return new AccountId(path);
    }

    /** Returns the last part of the path. */
    public String name() {
        return path.substring(path.lastIndexOf(':') + 1);
    }

    /** Returns the first part of the path. */
    public String root() {
        return path.split(":")[0];
    }

    /** Returns the account above this one; a root has none. */
    public Optional<AccountId> parent() {
        int colon = path.lastIndexOf(':');
        if (colon < 0) {
            return Optional.empty();
        }
        return Optional.of(new AccountId(path.substring(0, colon)));
    }

    @Override
    public String toString() {
        return path;
    }
}
