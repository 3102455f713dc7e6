package example.ledger.book;

import example.ledger.LedgerException;
import example.ledger.money.Currency;
import example.ledger.money.Money;
import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.Map;

/** The accounts together with the journal that moves them. */
public final class Ledger {

    private final Map<AccountId, Account> accounts = new LinkedHashMap<>();
    private final Journal journal = new Journal();

    /** Returns the journal of all that was posted. */
    public Journal journal() {
        return journal;
    }

    /** Takes up an account; there is one of each path. */
    public void open(Account account) {
        if (accounts.containsKey(account.id())) {
            throw new LedgerException("there is an account " + account.id());
        }
        accounts.put(account.id(), account);
    }

    /** Returns the account of a path. */
    public Account account(AccountId id) {
        Account account = accounts.get(id);
        if (account == null) {
            throw new UnknownAccountException(id);
        }
        return account;
    }

    /** Applies an entry to its accounts and returns its number; all of it or nothing. */
    public int post(Entry entry) {
        for (Posting posting : entry.postings()) {
            if (!account(posting.account()).accepts(posting)) {
                throw new LedgerException(posting.account() + " does not accept " + posting);
            }
        }
        entry.postings().forEach(posting -> account(posting.account()).apply(posting));
        return journal.append(entry);
    }

    /** Moves an amount between two accounts; an asset cannot give more than it has. */
    public int transfer(AccountId from, AccountId to, Money amount, LocalDate date) {
        Account source = account(from);
        if (source.type() == AccountType.ASSET && !source.canWithdraw(amount)) {
            throw new InsufficientFundsException(from, amount.minus(source.available()));
        }
        String description = "Transfer from " + from.name() + " to " + to.name();
        Posting debit = Posting.debit(to, amount);
        Posting credit = Posting.credit(from, amount);
        return post(Entry.of(date, description, debit, credit));
    }

    /** Takes an entry back with one of the opposite sides. */
    public int reverse(int number, LocalDate date) {
        return post(journal.entry(number).reversed(date));
    }

    /** Returns what an account holds now. */
    public Money balanceOf(AccountId id) {
        return account(id).balance();
    }

    /** Returns what an account held at the end of a day. */
    public Money balanceOf(AccountId id, LocalDate day) {
        Money balance = balanceOf(id);
        for (Entry entry : journal.entriesOf(id)) {
            if (entry.date().isAfter(day)) {
                balance = balance.minus(account(id).type().growth(entry.debitsOf(id)));
            }
        }
        return balance;
    }

    /** Returns the sum of all accounts of a type in a currency. */
    public Money totalOf(AccountType type, Currency currency) {
        return Money.sum(
                accounts.values().stream()
                        .filter(account -> account.type() == type)
                        .map(Account::balance)
                        .filter(balance -> balance.currency() == currency)
                        .toList(),
                currency);
    }

    /** Draws up the balances of all accounts of a currency. */
    public TrialBalance trialBalance(Currency currency) {
        return TrialBalance.of(accounts.values(), currency);
    }
}
