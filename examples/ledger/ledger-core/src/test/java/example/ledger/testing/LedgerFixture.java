package example.ledger.testing;

import static example.ledger.testing.AccountFixture.anAccount;
import static example.ledger.testing.Values.CASH;
import static example.ledger.testing.Values.RENT;
import static example.ledger.testing.Values.SALARY;

import example.ledger.book.Entry;
import example.ledger.book.Ledger;
import java.util.ArrayList;
import java.util.List;

/** Builds ledgers with the accounts of {@link Values}, all empty but the bank. */
public final class LedgerFixture {

    private final List<Entry> entries = new ArrayList<>();
    private String inBank = "0";

    private LedgerFixture() {}

    public static LedgerFixture aLedger() {
        return new LedgerFixture();
    }

    public LedgerFixture withBank(String euros) {
        this.inBank = euros;
        return this;
    }

    public LedgerFixture with(EntryFixture entry) {
        this.entries.add(entry.build());
        return this;
    }

    public Ledger build() {
        Ledger ledger = new Ledger();
        ledger.open(anAccount().withBalance(inBank).build());
        ledger.open(anAccount().withId(CASH).build());
        ledger.open(anAccount().withId(RENT).build());
        ledger.open(anAccount().withId(SALARY).build());
        entries.forEach(ledger::post);
        return ledger;
    }
}
