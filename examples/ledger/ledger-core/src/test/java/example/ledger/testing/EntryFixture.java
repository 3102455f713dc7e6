package example.ledger.testing;

import static example.ledger.testing.Values.BANK;
import static example.ledger.testing.Values.RENT;
import static example.ledger.testing.Values.day;
import static example.ledger.testing.Values.euros;

import example.ledger.book.AccountId;
import example.ledger.book.Entry;
import example.ledger.book.Posting;

/** Builds entries; 10 euros of rent from the bank on 1 March 2024 unless told otherwise. */
public final class EntryFixture {

    private String date = "2024-03-01";
    private String description = "Rent";
    private AccountId from = BANK;
    private AccountId to = RENT;
    private String amount = "10.00";

    private EntryFixture() {}

    public static EntryFixture anEntry() {
        return new EntryFixture();
    }

    public EntryFixture on(String date) {
        this.date = date;
        return this;
    }

    public EntryFixture describedAs(String description) {
        this.description = description;
        return this;
    }

    public EntryFixture from(AccountId account) {
        this.from = account;
        return this;
    }

    public EntryFixture to(AccountId account) {
        this.to = account;
        return this;
    }

    public EntryFixture withAmount(String euros) {
        this.amount = euros;
        return this;
    }

    public Entry build() {
        Posting debit = Posting.debit(to, euros(amount));
        Posting credit = Posting.credit(from, euros(amount));
        return Entry.of(day(date), description, debit, credit);
    }
}
