#if Retrieval
    import Foundation
    import GRDB

    extension IndexStore {
        /// The passages whose vectors are closest to the query's: every vector is compared.
        func matches(_ ranking: Ranking, width: Int) throws(RetrievalError) -> [Match] {
            try read { db in
                let rows = try Row.fetchCursor(db, sql: "SELECT passage, numbers FROM vector ORDER BY passage")
                while let row = try rows.next() {
                    let id = try row.integer(0, path)
                    guard case .blob? = Optional((row[1] as DatabaseValue).storage) else {
                        throw RetrievalError.damagedIndex(path: path, reason: "passage \(id) has no vector")
                    }
                    try row.withUnsafeData(atIndex: 1) { data in
                        guard let data, data.count == width * 4 else {
                            throw RetrievalError.damagedIndex(
                                path: path,
                                reason: "the vector of passage \(id) has \(data?.count ?? 0) bytes, not \(width * 4)")
                        }
                        data.withUnsafeBytes { ranking.add(Int64(id), $0) }
                    }
                }
                let best = ranking.finish()
                if let id = ranking.invalid {
                    throw RetrievalError.damagedIndex(
                        path: path, reason: "the vector of passage \(id) holds what are no numbers")
                }
                return try best.map { try match($0, db) }
            }
        }

        private func match(_ candidate: Ranking.Candidate, _ db: Database) throws -> Match {
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT path, first_line, last_line, first_byte, end_byte, text
                    FROM passage JOIN file ON file.id = passage.file WHERE passage.id = ?
                    """, arguments: [candidate.id])
            guard let row else {
                throw RetrievalError.damagedIndex(path: path, reason: "passage \(candidate.id) has no text")
            }
            let (line, lastLine) = (try row.integer(1, path), try row.integer(2, path))
            let (byte, end) = (try row.integer(3, path), try row.integer(4, path))
            guard line <= lastLine, byte <= end else {
                throw RetrievalError.damagedIndex(path: path, reason: "passage \(candidate.id) ends before it begins")
            }
            let passage = Passage(lines: line...lastLine, bytes: byte..<end, text: try row.text(5, path))
            return Match(file: try row.text(0, path), passage: passage, score: candidate.score)
        }
    }
#endif
