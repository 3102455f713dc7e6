package example.ledger.book;

import static example.ledger.testing.LedgerAssertions.assertFails;
import static example.ledger.testing.Values.BANK;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class AccountIdTest {

    @Test
    void of_failsForAnEmptyPart() {
        assertFails(
                IllegalArgumentException.class, "assets::bank", () -> AccountId.of("assets::bank"));
    }

    @Test
    void name_isTheLastPart() {
        String actual = BANK.name();

        assertEquals("bank", actual);
    }

    @Test
    void root_isTheFirstPart() {
        String actual = BANK.root();

        assertEquals("assets", actual);
    }
}
