#if Retrieval
    import Foundation
    import GRDB

    /// The SQLite file that an index is kept in.
    ///
    /// Its journal is SQLite's plain one, not a write-ahead log: a folder that may only be read can then be searched, and
    /// there is one file to copy. Each change is one transaction, so that nothing but the file being worked on is lost
    /// whenever the process ends.
    final class IndexStore: Sendable {
        /// Written in every index, so that no other program's database is taken for one: "TGPi".
        static let applicationID: Int32 = 0x5447_5069
        static let version: Int32 = 1
        /// How long to wait for another process's transaction, which is a file's passages at the most.
        private static let patience = 10.0

        let path: String
        private let queue: DatabaseQueue

        /// - Parameter creates: whether to make the file, where there is none.
        /// - Throws: `RetrievalError`
        init(path: String, creates: Bool) throws(RetrievalError) {
            self.path = path
            if !creates, !FileManager.default.fileExists(atPath: path) { throw .noIndex(path: path) }
            queue = try Self.translated(path) {
                var configuration = Configuration()
                configuration.busyMode = .timeout(Self.patience)
                configuration.label = "tinygpt.index"
                return try DatabaseQueue(path: path, configuration: configuration)
            }
            let isEmpty = try read { db in try Self.check(db, path) }
            if isEmpty {
                guard creates else { throw .noIndex(path: path) }
                try write { db in try Self.makeTables(db) }
            }
        }

        /// Whether there is nothing in the file yet.
        private static func check(_ db: Database, _ path: String) throws -> Bool {
            let application = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
            let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
            if application == 0, version == 0, try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") == 0 {
                return true
            }
            if application != applicationID {
                throw RetrievalError.notAnIndex(path: path, reason: "it is another program's database")
            }
            if version > Int(Self.version) || version < 1 {
                throw RetrievalError.newerIndex(path: path, version: version, known: Int(Self.version))
            }
            return false
        }

        private static func makeTables(_ db: Database) throws {
            // Another process may have been quicker.
            guard try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") == 0 else { return }
            // Vectors stand in a table of their own: a search reads all of them, and of the texts only those it shows.
            try db.execute(
                sql: """
                    PRAGMA application_id = \(applicationID);
                    PRAGMA user_version = \(version);
                    CREATE TABLE model (name TEXT NOT NULL, width INTEGER NOT NULL, sample BLOB NOT NULL);
                    CREATE TABLE file (
                        id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, modified INTEGER);
                    CREATE TABLE passage (
                        id INTEGER PRIMARY KEY, file INTEGER NOT NULL REFERENCES file ON DELETE CASCADE,
                        first_line INTEGER NOT NULL, last_line INTEGER NOT NULL,
                        first_byte INTEGER NOT NULL, end_byte INTEGER NOT NULL, text TEXT NOT NULL);
                    CREATE INDEX passage_file ON passage (file);
                    CREATE TABLE vector (
                        passage INTEGER PRIMARY KEY REFERENCES passage ON DELETE CASCADE, numbers BLOB NOT NULL);
                    """)
        }

        /// Reads from one state of the index, whatever others write meanwhile.
        func read<R>(_ body: (Database) throws -> R) throws(RetrievalError) -> R {
            try Self.translated(path) { try queue.read(body) }
        }

        /// Changes the index as a whole or not at all.
        func write<R>(_ body: (Database) throws -> R) throws(RetrievalError) -> R {
            try Self.translated(path) { try queue.write(body) }
        }

        private static func translated<R>(_ path: String, _ body: () throws -> R) throws(RetrievalError) -> R {
            do { return try body() } catch let error as RetrievalError { throw error } catch let error as DatabaseError
            {
                let reason = error.message ?? "error \(error.extendedResultCode.rawValue)"
                switch error.resultCode {
                case .SQLITE_NOTADB: throw .notAnIndex(path: path, reason: reason)
                case .SQLITE_BUSY, .SQLITE_LOCKED: throw .busy(path: path)
                case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_AUTH:
                    throw .systemRefused(path: path, reason: reason)
                default: throw .damagedIndex(path: path, reason: reason)
                }
            } catch { throw .systemRefused(path: path, reason: "\(error)") }
        }
    }

    /// Values of a row as what they should be. GRDB's own conversions trap where a damaged file holds something else.
    extension Row {
        func integer(_ column: Int, _ path: String) throws(RetrievalError) -> Int {
            if case .int64(let value) = (self[column] as DatabaseValue).storage, let value = Int(exactly: value) {
                return value
            }
            throw .damagedIndex(path: path, reason: "column \(column + 1) of a row is no integer")
        }

        func text(_ column: Int, _ path: String) throws(RetrievalError) -> String {
            if case .string(let value) = (self[column] as DatabaseValue).storage { return value }
            throw .damagedIndex(path: path, reason: "column \(column + 1) of a row is no text")
        }

        func vector(_ column: Int, width: Int, _ path: String) throws(RetrievalError) -> [Float] {
            if case .blob(let data) = (self[column] as DatabaseValue).storage, data.count == width * 4 {
                return [Float](unsafeUninitializedCapacity: width) { numbers, count in
                    data.copyBytes(to: UnsafeMutableRawBufferPointer(numbers))
                    count = width
                }
            }
            throw .damagedIndex(path: path, reason: "column \(column + 1) of a row is no vector of \(width)")
        }
    }
#endif
