#if Retrieval
    import Foundation
    import GRDB
    import TinyJSON

    /// What an index remembers of a file.
    struct IndexedFile {
        let id: Int
        let size: Int
        /// Nil where the file was so new that it might be changed again within the same tick of its clock.
        let modified: Int?
    }

    /// A passage and its vector, of unit length.
    struct IndexedPassage {
        let passage: Passage
        let vector: [Float]
    }

    /// The model that an index was made with.
    struct IndexedModel {
        let name: String
        /// What the model makes of a text that is the same for all: how it is known again.
        let sample: [Float]
    }

    extension IndexStore {
        /// - Returns: nil in an index that nothing was put in yet.
        func model() throws(RetrievalError) -> IndexedModel? {
            try read { db in
                guard let row = try Row.fetchOne(db, sql: "SELECT name, width, sample FROM model") else { return nil }
                let width = try row.integer(1, path)
                guard 1...(1 << 20) ~= width else {
                    throw RetrievalError.damagedIndex(path: path, reason: "vectors have \(width) numbers")
                }
                return IndexedModel(name: try row.text(0, path), sample: try row.vector(2, width: width, path))
            }
        }

        func remember(_ model: IndexedModel) throws(RetrievalError) {
            try write { db in
                try db.execute(
                    sql: "INSERT INTO model SELECT ?, ?, ? WHERE NOT EXISTS (SELECT * FROM model)",
                    arguments: [model.name, model.sample.count, Data(floats: model.sample)])
            }
        }

        func files() throws(RetrievalError) -> [ExactKey: IndexedFile] {
            try read { db in
                var files: [ExactKey: IndexedFile] = [:]
                let rows = try Row.fetchCursor(db, sql: "SELECT path, id, size, modified FROM file")
                while let row = try rows.next() {
                    let modified: Int? = (row[3] as DatabaseValue).isNull ? nil : try row.integer(3, path)
                    files[ExactKey(try row.text(0, path))] = IndexedFile(
                        id: try row.integer(1, path), size: try row.integer(2, path), modified: modified)
                }
                return files
            }
        }

        /// Vectors of a file's passages, by their texts.
        func vectors(of file: Int, width: Int) throws(RetrievalError) -> [ExactKey: [Float]] {
            try read { db in
                var vectors: [ExactKey: [Float]] = [:]
                let rows = try Row.fetchCursor(
                    db, sql: "SELECT text, numbers FROM passage JOIN vector ON passage = id WHERE file = ?",
                    arguments: [file])
                while let row = try rows.next() {
                    vectors[ExactKey(try row.text(0, path))] = try row.vector(1, width: width, path)
                }
                return vectors
            }
        }

        /// Puts a file in, in place of what was known of it.
        func replace(_ file: String, size: Int, modified: Int?, _ passages: [IndexedPassage]) throws(RetrievalError) {
            try write { db in
                try db.execute(sql: "DELETE FROM file WHERE path = ?", arguments: [file])
                try db.execute(
                    sql: "INSERT INTO file (path, size, modified) VALUES (?, ?, ?)", arguments: [file, size, modified])
                let id = db.lastInsertedRowID
                let insertPassage = try db.makeStatement(
                    sql: """
                        INSERT INTO passage (file, first_line, last_line, first_byte, end_byte, text)
                        VALUES (?, ?, ?, ?, ?, ?)
                        """)
                let insertVector = try db.makeStatement(sql: "INSERT INTO vector (passage, numbers) VALUES (?, ?)")
                for item in passages {
                    let (lines, bytes) = (item.passage.lines, item.passage.bytes)
                    try insertPassage.execute(arguments: [
                        id, lines.lowerBound, lines.upperBound, bytes.lowerBound, bytes.upperBound, item.passage.text,
                    ])
                    try insertVector.execute(arguments: [db.lastInsertedRowID, Data(floats: item.vector)])
                }
            }
        }

        /// Takes files out, all of them or none.
        func remove(_ files: [IndexedFile]) throws(RetrievalError) {
            if files.isEmpty { return }
            try write { db in
                let statement = try db.makeStatement(sql: "DELETE FROM file WHERE id = ?")
                for file in files { try statement.execute(arguments: [file.id]) }
            }
        }

        func counts() throws(RetrievalError) -> (files: Int, passages: Int) {
            try read { db in
                (
                    try Int.fetchOne(db, sql: "SELECT count(*) FROM file") ?? 0,
                    try Int.fetchOne(db, sql: "SELECT count(*) FROM passage") ?? 0
                )
            }
        }
    }

    extension Data {
        /// As every machine that runs this holds floats: little-endian.
        fileprivate init(floats: [Float]) { self = floats.withUnsafeBytes { Data($0) } }
    }
#endif
